"""Small copies of planes, for whatever looks at a whole frame: detection, cuts, searches."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_FAR = 4
"""Times the wanted size from which a row or column more is nothing: a quarter of a pixel at the far edge."""


def downscale(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """`plane` (h, w) averaged down to `size` (width, height); a larger size gives interpolated samples.

    It is halved as often as that goes, each half rounded to the plane's type: OpenCV does that thirty to
    sixty times as fast as a step that is no whole number. For that, an odd one far from the wanted size gets
    its last row or column twice.
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
