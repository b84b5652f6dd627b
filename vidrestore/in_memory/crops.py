"""Converts aligned faces between a caller's arrays and the networks' values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.arrays import check_range, in_own_byte_order
from vidrestore.errors import UsageError
from vidrestore.types import LEAST_SIDE, FloatArray


def face_from_crop(crop: NDArray[Any] | Any) -> FloatArray:
    """(S, S, 3) RGB in 0..1 of a caller's crop.

    Raises:
        UsageError: The array has another shape or type.
    """
    if not isinstance(crop, np.ndarray):
        kind = f"{type(crop).__module__}.{type(crop).__qualname__}"
        raise UsageError(f"an aligned face is a NumPy array (S, S, 3), got {kind}")
    if crop.ndim != 3 or crop.shape[2] != 3 or crop.shape[0] != crop.shape[1] or crop.shape[0] < LEAST_SIDE:
        raise UsageError(
            f"an aligned face is an array (S, S, 3), S at least {LEAST_SIDE}, got shape {crop.shape}"
        )
    crop = in_own_byte_order(crop)
    if crop.dtype == np.float32:
        check_range(crop, "an aligned face")
        return np.clip(crop, 0, 1)
    if crop.dtype not in (np.uint8, np.uint16):
        raise UsageError(f"an aligned face holds uint8, uint16 or float32, got {crop.dtype}")
    return crop.astype(np.float32) / np.float32(np.iinfo(crop.dtype).max)


def crop_from_face(face: FloatArray, like: NDArray[Any]) -> NDArray[Any]:
    """The face as an array of the type of `like`."""
    if like.dtype.kind == "f":
        return face.astype(like.dtype, copy=False)
    peak = np.iinfo(like.dtype).max
    return np.round(np.clip(face, 0, 1) * peak).astype(like.dtype)
