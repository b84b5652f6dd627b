"""Conversion between planes and RGB, for regions of a frame.

All conversions between a frame's planes and RGB are here. They are not in `video/` because detection,
alignment and compositing need them, and packages do not import their siblings.
Formulas: `matrices.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.downscale import downscale
from vidrestore.colour.hdr import needs_tone_mapping, to_sdr
from vidrestore.colour.matrices import luma_and_chroma, luma_weights
from vidrestore.types import FloatArray, Frame, Plane

# AVChromaLocation codes with chroma samples on a luma column, and on the upper luma line
_ON_COLUMN, _ON_LINE = (0, 1, 3, 5), (3, 4)


def rgb_region(frame: Frame, x0: int, y0: int, x1: int, y1: int) -> FloatArray:
    """RGB of a region of the frame, in the video's transfer.

    Args:
        frame: The frame.
        x0: Left edge [px]; the region must be inside the frame.
        y0: Upper edge.
        x1: Right edge, exclusive.
        y1: Lower edge, exclusive.

    Returns:
        (y1 - y0, x1 - x0, 3) in 0..1; codes outside of the legal range give values outside of 0..1.

    Raises:
        ValueError: The region is not inside the frame.
    """
    if not (0 <= x0 < x1 <= frame.width and 0 <= y0 < y1 <= frame.height):
        raise ValueError(f"region {x0, y0, x1, y1} is not inside {frame.width} x {frame.height}")
    luma = _float(frame.planes[0][y0:y1, x0:x1])
    if frame.format.family == "gray":
        return _gray_to_rgb(luma, frame)
    if frame.format.family == "rgb":
        green, blue, red = (_float(p[y0:y1, x0:x1]) for p in frame.planes[:3])
        return np.stack([red, green, blue], axis=2) / float(_peak(frame))
    cb, cr = (_grow_from_chroma(p, frame, x0, y0, x1, y1) for p in frame.planes[1:3])
    return _yuv_to_rgb(luma, cb, cr, frame)


def sdr_region(frame: Frame, x0: int, y0: int, x1: int, y1: int) -> FloatArray:
    """The SDR rendering of `rgb_region`, for detector and networks.

    Args:
        frame: The frame.
        x0: As for `rgb_region`, like the others.
        y0: Upper edge.
        x1: Right edge, exclusive.
        y1: Lower edge, exclusive.
    """
    return to_sdr(rgb_region(frame, x0, y0, x1, y1), frame.colour)


def downscaled_rgb(frame: Frame, max_side: int) -> tuple[NDArray[np.uint8], float]:
    """A reduced SDR copy (h, w, 3) in 8-bit RGB with sides up to `max_side`, and its scale.

    Copy px = frame px * scale. Planes are reduced before the conversion, which is faster.
    """
    size = _small_size(frame, max_side)
    return _downscale_rgb(frame, frame.planes[:3], size), size[0] / frame.width


def downscaled_region(
    frame: Frame, box: tuple[int, int, int, int], shrink: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A reduced SDR copy of a region in 8-bit RGB, and the matrix (3, 3) from its px to the frame's.

    Args:
        frame: The frame.
        box: (x0, y0, x1, y1), half-open, inside the frame. It is extended to the chroma grid.
        shrink: The factor by which it is reduced.
    """
    step_x, step_y = (1 << s for s in frame.format.chroma_shift)
    x0, y0 = box[0] // step_x * step_x, box[1] // step_y * step_y
    x1, y1 = min(-(-box[2] // step_x) * step_x, frame.width), min(-(-box[3] // step_y) * step_y, frame.height)
    planes = [frame.planes[0][y0:y1, x0:x1]]
    for plane in frame.planes[1:3]:
        planes.append(plane[y0 // step_y : -(-y1 // step_y), x0 // step_x : -(-x1 // step_x)])
    size = (max(round((x1 - x0) / shrink), 1), max(round((y1 - y0) / shrink), 1))
    to_frame = np.diag([(x1 - x0) / size[0], (y1 - y0) / size[1], 1.0])
    # Measured between the centres of pixels, not their corners.
    to_frame[:2, 2] = x0 + 0.5 * (to_frame[0, 0] - 1), y0 + 0.5 * (to_frame[1, 1] - 1)
    return _downscale_rgb(frame, planes, size), to_frame


def _downscale_rgb(frame: Frame, planes: Sequence[Plane], size: tuple[int, int]) -> NDArray[np.uint8]:
    """8-bit SDR RGB from planes of the frame, or parts of them, which are resized to (width, height)."""
    small = [_float(downscale(p, size)) for p in planes]
    if frame.format.family == "gray":
        rgb = _gray_to_rgb(small[0], frame)
    elif frame.format.family == "rgb":
        rgb = np.stack([small[2], small[0], small[1]], axis=2) / float(_peak(frame))
    else:
        rgb = _yuv_to_rgb(small[0], small[1], small[2], frame)
    sdr = to_sdr(rgb, frame.colour)
    return np.clip(sdr * 255 + 0.5, 0, 255).astype(np.uint8)


def downscaled_luma(frame: Frame, max_side: int) -> tuple[NDArray[np.uint8], float]:
    """A reduced copy (h, w) of the luma in 8 bits with sides up to `max_side`. YUV keeps its range."""
    size = _small_size(frame, max_side)
    if needs_tone_mapping(frame.colour):
        rgb, scale = downscaled_rgb(frame, max_side)
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8), scale
    if frame.format.family == "rgb":
        green, blue, red = (_float(downscale(p, size)) for p in frame.planes[:3])
        red_weight, blue_weight = luma_weights(frame.colour, frame.height)
        luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    else:
        luma = downscale(frame.planes[0], size)
    codes = luma * (255.0 / _peak(frame)) + 0.5 if luma.dtype != np.uint8 else luma
    return codes.astype(np.uint8), size[0] / frame.width


def _small_size(frame: Frame, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(frame.width, frame.height))
    return max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)


def planes_from_rgb(rgb: FloatArray, frame: Frame, *, difference: bool = False) -> tuple[FloatArray, ...]:
    """Planes of a region in the frame's format, as code values that are not rounded, without alpha.

    Args:
        rgb: (h, w, 3) of a region that starts on the chroma grid.
        frame: The frame.
        difference: Whether `rgb` is a change of colour; then the result is the change of the code values.
    """
    if frame.format.family == "rgb":
        peak = float(_peak(frame))
        return tuple(np.ascontiguousarray(rgb[..., c]) * peak for c in (1, 2, 0))
    to_codes = rgb_to_codes(frame)
    if difference:
        to_codes = to_codes[:, :3]
    if frame.format.family == "gray":
        return (np.asarray(cv2.transform(rgb, to_codes[:1]), np.float32),)
    codes = cv2.transform(rgb, to_codes)
    luma, cb, cr = (np.asarray(plane, np.float32) for plane in cv2.split(codes))
    return luma, shrink_to_chroma(cb, frame), shrink_to_chroma(cr, frame)


def shrink_to_chroma(plane: FloatArray, frame: Frame) -> FloatArray:
    """`plane` (h, w), which starts on the chroma grid, filtered and sampled at the chroma samples."""
    return _sample_cells(plane, frame, cosited=True)


def chroma_cell_mean(plane: FloatArray, frame: Frame) -> FloatArray:
    """The mean of each chroma cell of `plane` (h, w), which starts on the chroma grid.

    Of a plane without negative values, the mean is zero exactly where the whole cell is zero.
    """
    return _sample_cells(plane, frame, cosited=False)


def chroma_kernels(frame: Frame, *, cosited: bool) -> tuple[tuple[FloatArray, int], tuple[FloatArray, int]]:
    """For each axis, columns first, the weights of a chroma cell, and the index of that of its first sample.

    Args:
        frame: The frame.
        cosited: Whether chroma samples are where the frame has them; otherwise in the middle of their cells.
    """
    on_column, on_line = chroma_is_cosited(frame) if cosited else (False, False)
    factor_x, factor_y = (1 << s for s in frame.format.chroma_shift)
    return _shrink_kernel(factor_x, on_column), _shrink_kernel(factor_y, on_line)


def chroma_is_cosited(frame: Frame) -> tuple[bool, bool]:
    """Whether chroma samples are on the first luma column of their cells, and on the first line."""
    return frame.colour.siting in _ON_COLUMN, frame.colour.siting in _ON_LINE


def _sample_cells(plane: FloatArray, frame: Frame, *, cosited: bool) -> FloatArray:
    """One value per chroma cell: along each axis a triangle filter at its first sample, or the mean."""
    factor_x, factor_y = (1 << s for s in frame.format.chroma_shift)
    (across, at_x), (down, at_y) = chroma_kernels(frame, cosited=cosited)
    return np.ascontiguousarray(_separable_filter(plane, across, down, (at_x, at_y))[::factor_y, ::factor_x])


def _grow_from_chroma(plane: Plane, frame: Frame, x0: int, y0: int, x1: int, y1: int) -> FloatArray:
    """A chroma `plane`, linearly interpolated at the luma samples of a region; edges are repeated."""
    on_column, on_line = chroma_is_cosited(frame)
    factor_x, factor_y = (1 << s for s in frame.format.chroma_shift)
    # Each sample is repeated over its cell, from one cell before the region to one after it; the running mean
    # is linear.
    columns = np.clip(np.arange(x0 - factor_x, x1 + factor_x) // factor_x, 0, plane.shape[1] - 1)
    rows = np.clip(np.arange(y0 - factor_y, y1 + factor_y) // factor_y, 0, plane.shape[0] - 1)
    (across, at_x), (down, at_y) = _grow_kernel(factor_x, on_column), _grow_kernel(factor_y, on_line)
    grown = _separable_filter(plane[rows][:, columns], across, down, (at_x, at_y))
    return grown[factor_y:-factor_y, factor_x:-factor_x]


def _shrink_kernel(factor: int, cosited: bool) -> tuple[FloatArray, int]:
    """Weights for a cell of `factor` samples, and the index of the weight of its first sample."""
    mean = np.full(factor, 1 / factor, np.float32)
    return (np.convolve(mean, mean), factor - 1) if cosited else (mean, 0)


def _grow_kernel(factor: int, cosited: bool) -> tuple[FloatArray, int]:
    """Weights that turn steps of `factor` samples into a line, and the index of a sample's own weight."""
    mean = np.full(factor, 1 / factor, np.float32)
    if cosited or factor == 1:
        return mean, 0
    return np.convolve(mean, np.full(2, 0.5, np.float32)), factor // 2


def _separable_filter(
    plane: Plane | FloatArray, across: FloatArray, down: FloatArray, at: tuple[int, int]
) -> FloatArray:
    filtered = cv2.sepFilter2D(plane, cv2.CV_32F, across, down, anchor=at, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(filtered, np.float32)


def _gray_to_rgb(luma: FloatArray, frame: Frame) -> FloatArray:
    black, span, _ = _ranges(frame)
    return np.repeat(((luma - black) / span)[..., None], 3, axis=2)


def _yuv_to_rgb(luma: FloatArray, cb: FloatArray, cr: FloatArray, frame: Frame) -> FloatArray:
    # One pass: a matrix product in numpy takes several times as long for such a short axis.
    return np.asarray(cv2.transform(cv2.merge([luma, cb, cr]), codes_to_rgb(frame)), np.float32)


def rgb_to_codes(frame: Frame) -> NDArray[np.float64]:
    """(3, 4) matrix of a YUV frame from R G B in 0..1 and 1 to code values."""
    black, span, chroma_span = (float(v) for v in _ranges(frame))
    middle = float(1 << (frame.format.bit_depth - 1))
    to_codes = luma_and_chroma(frame.colour, frame.height) * [[span], [chroma_span], [chroma_span]]
    return np.column_stack([to_codes, [black, middle, middle]])


def codes_to_rgb(frame: Frame) -> NDArray[np.float64]:
    """(3, 4) matrix of a YUV frame from code values and 1 to R G B in 0..1."""
    to_codes = rgb_to_codes(frame)
    to_rgb = np.linalg.inv(to_codes[:, :3])
    return np.column_stack([to_rgb, -to_rgb @ to_codes[:, 3]])


def black_and_span(frame: Frame) -> tuple[float, float]:
    """The code of black in luma, or in R, G and B, and the range from black to white."""
    if frame.format.family == "rgb":
        return 0.0, float(_peak(frame))
    black, span, _ = _ranges(frame)
    return float(black), float(span)


def _ranges(frame: Frame) -> tuple[np.float32, np.float32, np.float32]:
    """The code of black, the range from black to white, and the range of chroma."""
    if frame.colour.full_range:
        peak = np.float32(_peak(frame))
        return np.float32(0), peak, peak
    unit = float(1 << (frame.format.bit_depth - 8))
    return np.float32(16 * unit), np.float32(219 * unit), np.float32(224 * unit)


def _peak(frame: Frame) -> int:
    return (1 << frame.format.bit_depth) - 1


def _float(plane: NDArray[np.generic]) -> FloatArray:
    return plane.astype(np.float32)
