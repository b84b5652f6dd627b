"""The square around a face, its box and its roll angle, from its five points.

The size of a face is the larger one of two distances: between the eyes, and from eyes to mouth. So a face in
profile has the same size as a frontal one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

SIDE_PER_FACE = 3.4
"""Side of the square, divided by the size of the face."""
BOX_PER_SIDE = 0.72
"""Side of a face's box, from brow to chin, divided by the side of the square."""


def face_size(landmarks: NDArray[np.floating]) -> float:
    """The size of the face [px] from its five points (5, 2)."""
    down = landmarks[3:].mean(0) - landmarks[:2].mean(0)
    return float(max(np.hypot(*(landmarks[1] - landmarks[0])), np.hypot(*down)))


def square_around(landmarks: NDArray[np.floating]) -> FloatArray:
    """(3,) centre x, centre y and side of the square around five points (5, 2)."""
    centre = (landmarks[:2].mean(0) + landmarks[3:].mean(0)) / 2
    return np.array([*centre, SIDE_PER_FACE * max(face_size(landmarks), 1.0)], np.float32)


def face_box(landmarks: NDArray[np.floating]) -> FloatArray:
    """(4,) x0 y0 x1 y1 of the upright square from brow to chin, for five points (5, 2) at any roll angle."""
    x, y, side = square_around(landmarks)
    half = side * BOX_PER_SIDE / 2
    return np.array([x - half, y - half, x + half, y + half], np.float32)


def tilt(landmarks: NDArray[np.floating]) -> float:
    """The roll angle of the face in degrees, clockwise in the picture."""
    across = landmarks[1] - landmarks[0] + landmarks[4] - landmarks[3]
    down = landmarks[3:].mean(0) - landmarks[:2].mean(0)
    return float(np.degrees(np.arctan2(across[1] - 2 * down[0], across[0] + 2 * down[1])))
