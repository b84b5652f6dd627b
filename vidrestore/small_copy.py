"""Small copies of planes, for whatever looks at a whole frame: detection, cuts, searches."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def small_copy(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """`plane` (h, w) averaged down to `size` (width, height); a larger size gives interpolated samples.

    It is halved as often as that goes, each half rounded to the plane's type: OpenCV does that thirty to
    sixty times as fast as a step that is no whole number.
    """
    while _can_be_halved(plane.shape, size):
        half = (plane.shape[1] // 2, plane.shape[0] // 2)
        plane = np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA))
    if plane.shape == size[::-1]:
        return plane
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))


def _can_be_halved(shape: tuple[int, ...], size: tuple[int, int]) -> bool:
    height, width = shape
    return width % 2 == height % 2 == 0 and width >= 2 * size[0] and height >= 2 * size[1]
