"""Small copies of planes, for detection, cuts and searches."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_FAR = 4
"""From this multiple of the wanted size, a repeated row or column moves pixels by at most a quarter pixel."""


def downscale(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A reduced copy of a plane, by averaging. A larger size gives interpolated samples.

    The plane is halved as often as possible, and each half is rounded to the plane's type. OpenCV does this
    thirty to sixty times as fast as a step by a fraction. Therefore, if the number of rows or columns is odd
    and still much larger than wanted, the last one is repeated.

    Args:
        plane: (h, w).
        size: The wanted (width, height).
    """
    while min(plane.shape[1] / size[0], plane.shape[0] / size[1]) >= 2:
        height, width = plane.shape
        if height % 2 or width % 2:
            if width < _FAR * size[0] or height < _FAR * size[1]:
                break
            plane = cv2.copyMakeBorder(plane, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        half = (plane.shape[1] // 2, plane.shape[0] // 2)
        plane = np.asarray(cv2.resize(plane, half, interpolation=cv2.INTER_AREA))
    if plane.shape == size[::-1]:
        return plane
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
