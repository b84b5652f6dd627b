"""Whether the planes of a caller's frame are what its pixel format says."""

from __future__ import annotations

from typing import Any

import numpy as np

from vidrestore.errors import UsageError
from vidrestore.types import Frame

_PLANES = {"yuv": 3, "rgb": 3, "gray": 1}


def checked_frame(frame: Frame) -> Frame:
    """The frame itself.

    Raises:
        UsageError: Number, size, type or values of its planes do not fit its format.
    """
    form = frame.format
    if form.family not in _PLANES or not 8 <= form.bit_depth <= 16:
        raise UsageError(
            f"a frame is yuv, rgb or gray with 8 to 16 bits, got {form.family}, {form.bit_depth} bits"
        )
    count = _PLANES[form.family] + form.has_alpha
    if len(frame.planes) != count:
        raise UsageError(f"a frame of {form.name} has {count} planes, got {len(frame.planes)}")
    dtype = np.uint8 if form.bit_depth == 8 else np.uint16
    planes: tuple[Any, ...] = frame.planes
    for number, plane in enumerate(planes):
        if not isinstance(plane, np.ndarray) or plane.ndim != 2 or plane.dtype != dtype or not plane.size:
            kind = getattr(plane, "dtype", type(plane).__name__)
            raise UsageError(
                f"a plane of {form.name} is an array (H, W) of {dtype.__name__}, plane {number} is "
                f"{getattr(plane, 'shape', '')} {kind}"
            )
        expected = _size(frame, is_chroma=form.family == "yuv" and number in (1, 2))
        if plane.shape != expected:
            raise UsageError(f"plane {number} of {form.name} must be {expected}, got {plane.shape}")
        if 8 < form.bit_depth < 16 and plane.max() >> form.bit_depth:
            raise UsageError(f"plane {number} of {form.name} has values above {(1 << form.bit_depth) - 1}")
    return frame


def _size(frame: Frame, *, is_chroma: bool) -> tuple[int, int]:
    """(H, W) of a plane; the first one has the frame's size."""
    height, width = frame.planes[0].shape
    right, down = frame.format.chroma_shift if is_chroma else (0, 0)
    return -(-height >> down), -(-width >> right)
