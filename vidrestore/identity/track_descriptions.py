"""Who each track is: the mean of its face's descriptors, taken at a few of its frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidrestore.identity.recogniser import FaceRecogniser
from vidrestore.types import FloatArray, TrackedFace

SAMPLED_AT = (0, 3, 8, 20, 45, 90, 180, 360, 720, 1440)
"""Frames of a track, counted from its first, that are described: many of short tracks, few of long ones."""
LEAST_OPACITY = 0.6
"""Faces that are turned away or unsure say little of who they are."""


@dataclass(slots=True)
class _Sums:
    frames: int = 0
    samples: int = 0
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(128))


class TrackDescriber:
    """Describes faces while frames pass; 128 numbers a track are kept."""

    def __init__(self, recogniser: FaceRecogniser) -> None:
        self._recogniser = recogniser
        self._sums: dict[int, _Sums] = {}

    def add(self, face: TrackedFace, picture: FloatArray) -> None:
        """The next frame of a face's track; `picture` (S, S, 3) RGB in 0..1 is the face, aligned."""
        sums = self._sums.setdefault(face.track_id, _Sums())
        is_due = sums.samples < len(SAMPLED_AT) and sums.frames >= SAMPLED_AT[sums.samples]
        sums.frames += 1
        if is_due and face.observed and face.opacity >= LEAST_OPACITY:
            sums.total += self._recogniser.describe([picture])[0]
            sums.samples += 1

    def descriptors(self) -> dict[int, FloatArray]:
        """(128,) for each track that was seen well enough to be described."""
        return {
            number: (sums.total / sums.samples).astype(np.float32)
            for number, sums in sorted(self._sums.items())
            if sums.samples
        }
