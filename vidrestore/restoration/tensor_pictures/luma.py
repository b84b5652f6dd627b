"""The luma of pictures, for measures of brightness and detail."""

from __future__ import annotations

from torch import Tensor

from vidrestore.colour.matrices import BT601_LUMA


def luma(pictures: Tensor) -> Tensor:
    """(..., S, S) luma of pictures (..., 3, S, S)."""
    red, green, blue = pictures.unbind(-3)
    return BT601_LUMA[0] * red + BT601_LUMA[1] * green + BT601_LUMA[2] * blue
