"""The distance of two descriptors (128,) of the recognition network; numpy only."""

from __future__ import annotations

import math

import numpy as np

from vidrestore.types import FloatArray

SAME_PERSON = 0.6
"""Distance below which two faces are the same person, according to the network's author."""

CHOSEN_BELOW = 0.38
"""Distance below which tracks are grouped to people, and chosen by a photo; see docs/looking.md."""
CHOSEN_WITHIN = 0.08
"""A photo chooses tracks that are further than the nearest one by less than this, and the tracks of the
nearest one's person."""
LIKELY_BELOW = 0.42
"""Distance below which it is said that a track may be the same person."""


def how_sure(distance: float) -> str:
    """A word for how certain it is that two faces at this distance are the same person."""
    return "sure" if distance < CHOSEN_BELOW else "likely" if distance < LIKELY_BELOW else "unlikely"


def identity_distance(a: FloatArray, b: FloatArray) -> float:
    """The Euclidean distance; 0 for equal faces, below `SAME_PERSON` for the same person."""
    return float(np.linalg.norm(a.astype(np.float64) - b))


def identity_similarity(a: FloatArray, b: FloatArray) -> float:
    """The cosine of the angle between the descriptors, -1 to 1; 1 for equal faces."""
    lengths = float(np.linalg.norm(a.astype(np.float64)) * np.linalg.norm(b.astype(np.float64)))
    if lengths == 0:
        return 0.0
    return float(np.clip(np.dot(a.astype(np.float64), b) / lengths, -1, 1))


def identity_angle(a: FloatArray, b: FloatArray) -> float:
    """The angle between the descriptors in degrees, 0 to 180; 0 for equal faces."""
    return math.degrees(math.acos(identity_similarity(a, b)))
