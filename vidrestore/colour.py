"""Planes <-> RGB, for a region of a frame at a time.

Frames stay in their own pixels; what leaves them as RGB does so here, and comes back here. This lies outside
`video/` because detection, alignment and compositing need it and rooms do not import their siblings.
Formulas: ITU-R BT.601, BT.709, BT.2020 (non-constant luminance), H.273 for their codes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.small_copy import small_copy
from vidrestore.transfer import is_rendered, to_sdr
from vidrestore.types import ColourTags, FloatArray, Frame, Plane

# H.273 matrix code -> weights of red and blue in luma
_LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_HD_LINES = 720
# AVChromaLocation codes whose samples lie on a luma column, and on the upper luma line
_ON_COLUMN, _ON_LINE = (0, 1, 3, 5), (3, 4)


def luma_weights(tags: ColourTags, height: int) -> tuple[float, float]:
    """Weights of red and blue in luma; untagged pictures are BT.709 from 720 lines on, else BT.601."""
    default = 1 if height >= _HD_LINES else 6
    return _LUMA_WEIGHTS.get(tags.matrix, _LUMA_WEIGHTS[default])


def rgb_region(frame: Frame, x0: int, y0: int, x1: int, y1: int) -> FloatArray:
    """RGB (y1 - y0, x1 - x0, 3) in 0..1 of a region that lies inside the frame, half-open.

    Values keep the video's transfer. Codes beyond the legal range give values beyond 0..1.
    """
    if not (0 <= x0 < x1 <= frame.width and 0 <= y0 < y1 <= frame.height):
        raise ValueError(f"region {x0, y0, x1, y1} is not inside {frame.width} x {frame.height}")
    luma = _float(frame.planes[0][y0:y1, x0:x1])
    if frame.format.family == "gray":
        return np.repeat(_luma_to_unit(luma, frame)[..., None], 3, axis=2)
    if frame.format.family == "rgb":
        green, blue, red = (_float(p[y0:y1, x0:x1]) for p in frame.planes[:3])
        return np.stack([red, green, blue], axis=2) / float(_peak(frame))
    columns, rows = _chroma_positions(frame, np.arange(x0, x1), np.arange(y0, y1))
    cb, cr = (_sample(p, columns, rows) for p in frame.planes[1:3])
    return _yuv_to_rgb(luma, cb, cr, frame)


def sdr_region(frame: Frame, x0: int, y0: int, x1: int, y1: int) -> FloatArray:
    """`rgb_region` as an SDR screen shows it: what detector and network are given."""
    return to_sdr(rgb_region(frame, x0, y0, x1, y1), frame.colour)


def small_rgb(frame: Frame, max_side: int) -> tuple[NDArray[np.uint8], float]:
    """A shrunken copy (h, w, 3) of 8-bit RGB whose longer side is at most `max_side`, and its scale; SDR.

    Copy px = frame px * scale. Planes are shrunk before they are converted, which is cheap.
    """
    size = _small_size(frame, max_side)
    return _shrunk_rgb(frame, frame.planes[:3], size), size[0] / frame.width


def small_region(
    frame: Frame, box: tuple[int, int, int, int], shrink: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A region (x0, y0, x1, y1), half-open and inside the frame, `shrink` times smaller, as `small_rgb`.

    With the matrix (3, 3) from its px to the frame's. The region grows to the chroma grid.
    """
    step_x, step_y = (1 << s for s in frame.format.chroma_shift)
    x0, y0 = box[0] // step_x * step_x, box[1] // step_y * step_y
    x1, y1 = min(-(-box[2] // step_x) * step_x, frame.width), min(-(-box[3] // step_y) * step_y, frame.height)
    planes = [frame.planes[0][y0:y1, x0:x1]]
    for plane in frame.planes[1:3]:
        planes.append(plane[y0 // step_y : -(-y1 // step_y), x0 // step_x : -(-x1 // step_x)])
    size = (max(round((x1 - x0) / shrink), 1), max(round((y1 - y0) / shrink), 1))
    to_frame = np.diag([(x1 - x0) / size[0], (y1 - y0) / size[1], 1.0])
    # Between the middles of pixels, not their corners.
    to_frame[:2, 2] = x0 + 0.5 * (to_frame[0, 0] - 1), y0 + 0.5 * (to_frame[1, 1] - 1)
    return _shrunk_rgb(frame, planes, size), to_frame


def _shrunk_rgb(frame: Frame, planes: Sequence[Plane], size: tuple[int, int]) -> NDArray[np.uint8]:
    """8-bit SDR of the frame's planes, or of a part of them, each brought to one size (width, height)."""
    small = [_float(small_copy(p, size)) for p in planes]
    if frame.format.family == "gray":
        rgb = np.repeat(_luma_to_unit(small[0], frame)[..., None], 3, axis=2)
    elif frame.format.family == "rgb":
        rgb = np.stack([small[2], small[0], small[1]], axis=2) / float(_peak(frame))
    else:
        rgb = _yuv_to_rgb(small[0], small[1], small[2], frame)
    shown = to_sdr(rgb, frame.colour)
    return np.clip(shown * 255 + 0.5, 0, 255).astype(np.uint8)


def small_luma(frame: Frame, max_side: int) -> tuple[NDArray[np.uint8], float]:
    """A shrunken copy (h, w) of the luma in 8 bits, as `small_rgb`; of YUV its codes, in their own range."""
    size = _small_size(frame, max_side)
    if is_rendered(frame.colour):
        rgb, scale = small_rgb(frame, max_side)
        return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8), scale
    if frame.format.family == "rgb":
        green, blue, red = (_float(small_copy(p, size)) for p in frame.planes[:3])
        red_weight, blue_weight = luma_weights(frame.colour, frame.height)
        luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    else:
        luma = small_copy(frame.planes[0], size)
    codes = luma * (255.0 / _peak(frame)) + 0.5 if luma.dtype != np.uint8 else luma
    return codes.astype(np.uint8), size[0] / frame.width


def _small_size(frame: Frame, max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(frame.width, frame.height))
    return max(round(frame.width * scale), 1), max(round(frame.height * scale), 1)


def planes_from_rgb(rgb: FloatArray, frame: Frame, *, difference: bool = False) -> tuple[FloatArray, ...]:
    """Code values, not rounded, that `rgb` (h, w, 3) has in the frame's format; without alpha.

    The region must begin on the chroma grid. With `difference=True`, `rgb` is a change of colour and the
    result the change of codes it makes.
    """
    if frame.format.family == "rgb":
        peak = float(_peak(frame))
        return tuple(np.ascontiguousarray(rgb[..., c]) * peak for c in (1, 2, 0))
    red_weight, blue_weight = luma_weights(frame.colour, frame.height)
    # A matrix product of numpy's takes several times as long for so short an axis.
    y = np.asarray(cv2.transform(rgb, np.array([[red_weight, 1 - red_weight - blue_weight, blue_weight]])))
    black, span, chroma_span = _ranges(frame)
    luma = y * span + (0.0 if difference else black)
    if frame.format.family == "gray":
        return (luma,)
    middle = np.float32(0 if difference else 1 << (frame.format.bit_depth - 1))
    cb = (rgb[..., 2] - y) / (2 * (1 - blue_weight)) * chroma_span + middle
    cr = (rgb[..., 0] - y) / (2 * (1 - red_weight)) * chroma_span + middle
    chroma = (shrink_to_chroma(c.astype(np.float32), frame) for c in (cb, cr))
    return luma, *chroma


def shrink_to_chroma(plane: FloatArray, frame: Frame) -> FloatArray:
    """`plane` (h, w), beginning on the chroma grid, low-passed and sampled where chroma samples lie."""
    shift_x, shift_y = frame.format.chroma_shift
    on_column, on_line = _siting(frame)
    out = _shrink(plane, 1 << shift_x, on_column)
    return np.ascontiguousarray(_shrink(out.T, 1 << shift_y, on_line).T)


def _shrink(plane: FloatArray, factor: int, cosited: bool) -> FloatArray:
    """Along the last axis: a triangle around each cosited sample, else the mean of each cell."""
    if factor == 1:
        return plane
    width = -(-plane.shape[1] // factor) * factor
    padded = np.pad(plane, ((0, 0), (factor - 1, width - plane.shape[1] + factor - 1)), mode="edge")
    if cosited:
        ramp = np.arange(1, factor + 1, dtype=np.float32)
        kernel = np.concatenate([ramp, ramp[-2::-1]]) / factor**2
        first = 0
    else:
        kernel = np.full(factor, 1 / factor, np.float32)
        first = factor - 1
    count = width // factor
    out = np.zeros((plane.shape[0], count), np.float32)
    for i, weight in enumerate(kernel):
        out += weight * padded[:, first + i : first + i + (count - 1) * factor + 1 : factor]
    return out


def _chroma_positions(
    frame: Frame, x: NDArray[np.int64], y: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray]:
    """Where luma columns and rows lie on the chroma planes, in chroma samples."""
    on_column, on_line = _siting(frame)
    (fx, fy) = (1 << s for s in frame.format.chroma_shift)
    columns = (x - (0 if on_column else (fx - 1) / 2)) / fx
    rows = (y - (0 if on_line else (fy - 1) / 2)) / fy
    return columns.astype(np.float32), rows.astype(np.float32)


def _siting(frame: Frame) -> tuple[bool, bool]:
    return frame.colour.siting in _ON_COLUMN, frame.colour.siting in _ON_LINE


def _sample(plane: Plane, columns: FloatArray, rows: FloatArray) -> FloatArray:
    """`plane` at all (row, column) pairs, linearly interpolated, edges repeated."""
    top, row_weight = _split(rows, plane.shape[0])
    left, column_weight = _split(columns, plane.shape[1])
    y0, x0 = top[0], left[0]
    patch = _float(plane[y0 : top[-1] + 2, x0 : left[-1] + 2])
    lower = np.minimum(top - y0 + 1, patch.shape[0] - 1)
    right = np.minimum(left - x0 + 1, patch.shape[1] - 1)
    lines = patch[top - y0] * (1 - row_weight)[:, None] + patch[lower] * row_weight[:, None]
    return lines[:, left - x0] * (1 - column_weight) + lines[:, right] * column_weight


def _split(positions: FloatArray, count: int) -> tuple[NDArray[np.int64], FloatArray]:
    clipped = np.clip(positions, 0, count - 1)
    whole = np.floor(clipped).astype(np.int64)
    return whole, (clipped - whole).astype(np.float32)


def _yuv_to_rgb(luma: FloatArray, cb: FloatArray, cr: FloatArray, frame: Frame) -> FloatArray:
    red_weight, blue_weight = luma_weights(frame.colour, frame.height)
    _, _, chroma_span = _ranges(frame)
    middle = float(1 << (frame.format.bit_depth - 1))
    y = _luma_to_unit(luma, frame)
    red = y + (cr - middle) * (2 * (1 - red_weight) / chroma_span)
    blue = y + (cb - middle) * (2 * (1 - blue_weight) / chroma_span)
    green = (y - red_weight * red - blue_weight * blue) / (1 - red_weight - blue_weight)
    return np.stack([red, green, blue], axis=2)


def _luma_to_unit(luma: FloatArray, frame: Frame) -> FloatArray:
    black, span, _ = _ranges(frame)
    return (luma - black) / span


def _ranges(frame: Frame) -> tuple[np.float32, np.float32, np.float32]:
    """Code of black, codes from black to white, codes from the lowest to the highest chroma."""
    if frame.colour.full_range:
        peak = np.float32(_peak(frame))
        return np.float32(0), peak, peak
    unit = float(1 << (frame.format.bit_depth - 8))
    return np.float32(16 * unit), np.float32(219 * unit), np.float32(224 * unit)


def _peak(frame: Frame) -> int:
    return (1 << frame.format.bit_depth) - 1


def _float(plane: NDArray[np.generic]) -> FloatArray:
    return plane.astype(np.float32)
