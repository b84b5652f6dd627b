"""Boxes x0 y0 x1 y1: their sizes, overlaps and distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def overlap(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Intersection over union of two boxes."""
    ax, ay, ar, ab = a.tolist()
    bx, by, br, bb = b.tolist()
    width, height = min(ar, br) - max(ax, bx), min(ab, bb) - max(ay, by)
    if width <= 0 or height <= 0:
        return 0.0
    shared: float = width * height
    return shared / ((ar - ax) * (ab - ay) + (br - bx) * (bb - by) - shared)


def smaller_side(box: NDArray[np.floating]) -> float:
    """The shorter of width and height."""
    return float(min(box[2] - box[0], box[3] - box[1]))


def mean_side(box: NDArray[np.floating]) -> float:
    """Side of the square of the same area; 0 for an empty box."""
    return float(np.sqrt(max(box[2] - box[0], 0) * max(box[3] - box[1], 0)))
