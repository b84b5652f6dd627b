"""How far the lids are open, from the picture: the landmark networks place shut lids apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidrestore.evaluation.image import luma
from vidrestore.types import FloatArray

_HALF_WIDTH, _HALF_HEIGHT = 0.12, 0.20
"""Of the strip that is looked at down the middle of an eye, in distances between the eyes."""
_SKIN = 75
"""Percentile of the strip's luma that stands for skin."""
_FAINT = 0.25
"""Share of the greatest darkness that does not count: shadows of lids."""


def lid_opening(face: FloatArray, landmarks: NDArray[np.floating]) -> float:
    """How many rows down the middle of the eyes are dark, each by how dark it is, over the distance between
    the eyes; the mean of both. An iris is dark over many rows, the lashes of a shut eye over a few.

    Args:
        face: (S, S, 3) RGB in 0..1, aligned.
        landmarks: (5, 2) in its pixels.

    Returns:
        Some 0.05 for shut and 0.15 for open eyes; nan where an eye lies outside the face.
    """
    between = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    plane = luma(face)
    both = [_dark_rows(_strip(plane, eye, between)) for eye in landmarks[:2]]
    return float(np.mean(both)) / between if between > 0 else float("nan")


def _strip(plane: NDArray[np.float64], eye: NDArray[np.floating], between: float) -> NDArray[np.float64]:
    x, y = float(eye[0]), float(eye[1])
    rows = slice(max(round(y - _HALF_HEIGHT * between), 0), max(round(y + _HALF_HEIGHT * between) + 1, 0))
    columns = slice(max(round(x - _HALF_WIDTH * between), 0), max(round(x + _HALF_WIDTH * between) + 1, 0))
    return plane[rows, columns]


def _dark_rows(strip: NDArray[np.float64]) -> float:
    if min(strip.shape) < 3:
        return float("nan")
    skin = float(np.percentile(strip, _SKIN))
    darkness = np.clip(1 - strip.mean(axis=1) / max(skin, 1e-3), 0, None)
    return float(np.clip(darkness - _FAINT * darkness.max(), 0, None).sum())
