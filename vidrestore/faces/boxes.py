"""Boxes x0 y0 x1 y1: their sizes, overlaps and distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def overlap(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Intersection over union of two boxes."""
    width = float(min(a[2], b[2]) - max(a[0], b[0]))
    height = float(min(a[3], b[3]) - max(a[1], b[1]))
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(a) + _area(b) - shared)


def smaller_side(box: NDArray[np.floating]) -> float:
    """The shorter of width and height."""
    return float(min(box[2] - box[0], box[3] - box[1]))


def mean_side(box: NDArray[np.floating]) -> float:
    """Side of the square of the same area; 0 for an empty box."""
    return float(np.sqrt(max(box[2] - box[0], 0) * max(box[3] - box[1], 0)))


def _area(box: NDArray[np.floating]) -> float:
    return float(box[2] - box[0]) * float(box[3] - box[1])
