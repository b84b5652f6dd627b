"""What the pipeline asks of a face detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from vidrestore.types import Detection, Frame

Search = Literal["quick", "full", "thorough"]
"""What is looked for: large faces; faces of every size; these at any roll angle with the same care."""


class FaceDetector(Protocol):
    """Finds faces in a frame, anew or near where they were."""

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """All faces of the frame, whatever came before it.

        `existing`: what following has found in this frame; where that is sure, it need not look again.
        """
        ...

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """The faces that lie near their previous places; those that are not there any more are left out."""
        ...
