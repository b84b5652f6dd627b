"""The descriptor of each track: the mean of its face's descriptors in some of its frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidrestore.identity.recogniser import FaceRecogniser
from vidrestore.types import FloatArray, TrackedFace

SAMPLED_AT = (0, 3, 8, 20, 45, 90, 180, 360, 720, 1440)
"""Frames of a track that are described, counted from its first; they become rarer over time."""
LEAST_OPACITY = 0.6
"""Faces with a lower opacity, which are turned or uncertain, are not described."""


@dataclass(slots=True)
class _Sums:
    frames: int = 0
    samples: int = 0
    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(128))


class TrackDescriber:
    """Collects descriptors while frames pass; it keeps 128 numbers per track."""

    def __init__(self, recogniser: FaceRecogniser) -> None:
        self._recogniser = recogniser
        self._sums: dict[int, _Sums] = {}

    def add(self, face: TrackedFace, picture: FloatArray) -> None:
        """Adds the next face of a track. `picture` (S, S, 3) RGB in 0..1 is the aligned face."""
        sums = self._sums.setdefault(face.track_id, _Sums())
        is_due = sums.samples < len(SAMPLED_AT) and sums.frames >= SAMPLED_AT[sums.samples]
        sums.frames += 1
        if is_due and face.observed and face.opacity >= LEAST_OPACITY:
            sums.total += self._recogniser.describe([picture])[0]
            sums.samples += 1

    def descriptors(self) -> dict[int, FloatArray]:
        """(128,) for each track that could be described."""
        return {
            number: (sums.total / sums.samples).astype(np.float32)
            for number, sums in sorted(self._sums.items())
            if sums.samples
        }
