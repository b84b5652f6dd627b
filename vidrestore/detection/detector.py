"""The interface of face detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from vidrestore.types import Detection, Frame

Search = Literal["quick", "full", "thorough"]
"""Kinds of search: for large faces; for faces of all sizes; for faces of all sizes and roll angles."""


class FaceDetector(Protocol):
    """Finds faces in a frame, in all of it or near their previous positions."""

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """All faces of the frame, independent of earlier frames.

        Args:
            frame: The frame.
            search: The kind of search.
            existing: Faces that `follow` has found in this frame; certain ones need not be searched again.
        """
        ...

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """The faces near their previous positions, without those that have disappeared."""
        ...


@runtime_checkable
class PreparingDetector(FaceDetector, Protocol):
    """A detector that can compute what does not depend on earlier frames ahead, for several frames at once.

    `detect` and `follow` return the same, whether a frame was prepared or not.
    """

    frames_ahead: int
    """Number of frames for which `prepare` is worth calling; below 2 it is not called."""

    def prepare(self, frames: Sequence[tuple[Frame, Search | None]]) -> None:
        """Starts the computation and returns at once.

        Args:
            frames: Frames that are detected soon, with the kind of search that each will need; None: none.
        """
        ...
