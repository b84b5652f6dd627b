"""Where the eyes and the mouth are in an aligned face, by its five points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

_EYE = (0.30, 0.20)
"""Half width and half height of an eye's region, in distances between the eyes."""
_MOUTH = (0.65, 0.45)
"""Half width and half height of the mouth's region, in distances between its corners."""

Region = tuple[slice, slice]
"""Rows and columns."""


def eye_regions(landmarks: NDArray[np.floating], side: int) -> tuple[Region, Region]:
    """The regions of both eyes in an aligned face.

    Args:
        landmarks: (5, 2) x y [px].
        side: Side of the face [px].
    """
    between = float(np.linalg.norm(landmarks[1] - landmarks[0]))
    left, right = (_around(landmarks[eye], _EYE[0] * between, _EYE[1] * between, side) for eye in (0, 1))
    return left, right


def mouth_region(landmarks: NDArray[np.floating], side: int) -> Region:
    """The mouth's region; arguments as for `eye_regions`."""
    width = float(np.linalg.norm(landmarks[4] - landmarks[3]))
    return _around(landmarks[3:].mean(axis=0), _MOUTH[0] * width, _MOUTH[1] * width, side)


def is_whole(region: Region) -> bool:
    """Whether at least 4 x 4 pixels of it are inside the face, enough to measure."""
    return all(part.stop - part.start >= 4 for part in region)


def pixels_of(face: FloatArray, regions: tuple[Region, ...]) -> FloatArray:
    """(1, N, 3) all pixels of the regions in one row, for measures that look at each pixel alone."""
    return np.concatenate([face[region].reshape(1, -1, 3) for region in regions], axis=1)


def _around(centre: NDArray[np.floating], half_width: float, half_height: float, side: int) -> Region:
    x, y = float(centre[0]), float(centre[1])
    columns = (round(x - half_width), round(x + half_width) + 1)
    rows = (round(y - half_height), round(y + half_height) + 1)
    return _clipped(rows, side), _clipped(columns, side)


def _clipped(ends: tuple[int, int], side: int) -> slice:
    start, stop = (min(max(end, 0), side) for end in ends)
    return slice(start, stop)
