"""Colour matrices of H.273, from R'G'B' to luma and chroma, by the code in the video's tags.

Some codes are not matrices, because luma or chroma is computed from light or with a curve. Videos with them
are refused when they are opened: with another matrix every colour would be wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import ColourTags

_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Weights of red and blue in luma, by matrix code."""
_YCGCO, _DERIVED = 8, 12
_UNSUPPORTED = {
    10: "BT.2020 with constant luminance",
    11: "SMPTE ST 2085 (Y'D'zD'x)",
    13: "the constant luminance of its primaries",
    14: "BT.2100 ICtCp",
    15: "IPT-C2",
    16: "YCgCo-Re",
    17: "YCgCo-Ro",
}
_PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290)),
    4: ((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), (0.310, 0.316)),
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), (0.3127, 0.3290)),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), (0.3127, 0.3290)),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), (0.3127, 0.3290)),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), (0.310, 0.316)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), (0.3127, 0.3290)),
}
"""x y of red, green, blue and white, by code of the primaries."""
BT601_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma by BT.601, for measures of brightness."""
HD_LINES = 720
"""A video without colour tags counts as BT.709 if it has at least so many lines."""


def luma_weights(tags: ColourTags, height: int) -> tuple[float, float]:
    """Weights of red and blue in luma. Without tags it is BT.709 from 720 lines on, otherwise BT.601."""
    if tags.matrix == _YCGCO:
        return 0.25, 0.25
    if tags.matrix == _DERIVED and tags.primaries in _PRIMARIES:
        return _derived_weights(tags.primaries)
    default = 1 if height >= HD_LINES else 6
    return _WEIGHTS.get(tags.matrix, _WEIGHTS[default])


def luma_and_chroma(tags: ColourTags, height: int) -> NDArray[np.float64]:
    """(3, 3) matrix from R G B in 0..1 to luma in 0..1 and two chroma values in -0.5..0.5."""
    red, blue = luma_weights(tags, height)
    luma = np.array([red, 1 - red - blue, blue])
    if tags.matrix == _YCGCO:
        return np.stack([luma, [-0.25, 0.5, -0.25], [0.5, 0.0, -0.5]])
    first, second = (np.eye(3)[2] - luma) / (2 * (1 - blue)), (np.eye(3)[0] - luma) / (2 * (1 - red))
    return np.stack([luma, first, second])


def unsupported_name(matrix: int) -> str | None:
    """The name of a matrix code that is not supported; None: it is supported or unspecified."""
    return _UNSUPPORTED.get(matrix)


def _derived_weights(primaries: int) -> tuple[float, float]:
    """The weights with which luma equals luminance for these primaries."""
    points = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in _PRIMARIES[primaries]])
    red, _, blue = np.linalg.solve(points[:3].T, points[3])
    return float(red), float(blue)
