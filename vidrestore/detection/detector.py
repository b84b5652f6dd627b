"""What the pipeline asks of a face detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vidrestore.types import Detection, Frame


class FaceDetector(Protocol):
    """Finds faces in a frame, anew or near where they were."""

    def detect(
        self, frame: Frame, *, quick: bool = False, existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """All faces of the frame, whatever came before it.

        `quick`: a thorough search lies not far back, so one that may miss turned faces will do. `existing`:
        what following has found in this frame; where that is sure, there is no need to look again.
        """
        ...

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """The faces that lie near their previous places; those that are not there any more are left out."""
        ...
