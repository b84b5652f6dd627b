"""Converts frames to interleaved samples of photos: grey, RGB or RGBA with 8 or 16 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.types import ColourTags, Frame, Plane

Samples = NDArray[Any]
_STRIP = 256
_JPEG_MATRICES = {0, 2, 5, 6}
"""Matrix codes of H.273 that JPEG implies: BT.601's, or not stated."""


def is_as_jpeg(frame: Frame) -> bool:
    """Whether JPEG can store the frame's planes without conversion."""
    form, colour = frame.format, frame.colour
    return (
        (form.family, form.bit_depth, form.has_alpha) == ("yuv", 8, False)
        and colour.full_range
        and colour.matrix in _JPEG_MATRICES
    )


def stored(frame: Frame, *, depth: int) -> Samples:
    """(H, W, C) samples with `depth` 8 or 16 bits: grey, R G B, or R G B and alpha."""
    form = frame.format
    planes: tuple[Plane, ...] = frame.planes
    bits = form.bit_depth
    if form.family == "yuv":
        return _from_yuv(frame, depth)
    if form.family == "gray" and not frame.colour.full_range:
        planes = (_full_range(planes[0], bits),)
    order = (0,) if len(planes) == 1 else (2, 0, 1, *range(3, len(planes)))
    return np.stack([_with_bits(planes[place], bits, depth) for place in order], axis=-1)


def _from_yuv(frame: Frame, depth: int) -> Samples:
    """R G B and alpha, if there is one; converted in strips, as floats need memory."""
    peak = (1 << depth) - 1
    height, width = frame.planes[0].shape
    channels = 4 if frame.format.has_alpha else 3
    result = np.empty((height, width, channels), np.uint8 if depth == 8 else np.uint16)
    for top in range(0, height, _STRIP):
        rows = slice(top, min(top + _STRIP, height))
        rgb = rgb_region(frame, 0, rows.start, width, rows.stop)
        result[rows, :, :3] = np.rint(np.clip(rgb, 0, 1) * peak)
    if channels == 4:
        result[..., 3] = _with_bits(frame.planes[3], frame.format.bit_depth, depth)
    return result


def _full_range(grey: Plane, bits: int) -> Plane:
    scale = 1 << (bits - 8)
    spread = np.clip(
        np.rint((grey.astype(np.float64) - 16 * scale) * ((1 << bits) - 1) / (219 * scale)), 0, None
    )
    return np.minimum(spread, (1 << bits) - 1).astype(grey.dtype)


def _with_bits(plane: Plane, bits: int, depth: int) -> Plane:
    if bits == depth:
        return plane
    if depth == 8:
        return np.rint(plane * (255 / ((1 << bits) - 1))).astype(np.uint8)
    wide = plane.astype(np.uint32)
    return np.rint(wide * (65535 / ((1 << bits) - 1))).astype(np.uint16)


def colour_to_state(colour: ColourTags) -> tuple[int, int] | None:
    """H.273's codes of primaries and transfer of HDR and wide colour; None for what viewers assume."""
    unusual = colour.transfer in (16, 18) or colour.primaries in (9, 11, 12)
    return (colour.primaries, colour.transfer) if unusual else None
