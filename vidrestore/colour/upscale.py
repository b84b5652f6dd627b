"""Enlarges frames: each plane is resampled separately, with its bit depth and siting, by a Lanczos filter.

The filter has three lobes and is applied to one axis after the other. Its weights for a sample sum to one,
and the edge of the plane is repeated. The result is rounded to the nearest code and limited to the bit depth,
so that other programs can reproduce it exactly.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import HD_LINES
from vidrestore.types import ColourTags, Frame, PixelFormat, Plane, VideoInfo

LOBES = 3
_ON_COLUMN, _ON_LINE, _ON_LAST_LINE = (0, 1, 3, 5), (3, 4), (5, 6)
"""AVChromaLocation codes of chroma samples on the first luma column of their cell, on its first line, and on
its last line."""
_UNSTATED = (0, 2)
_BT601 = 6


def upscale_frame(frame: Frame, factor: int) -> Frame:
    """The frame with `factor` times as many columns and lines.

    Args:
        frame: The frame.
        factor: 1, 2 or 4; 1 returns the frame itself.
    """
    if factor == 1:
        return frame
    width, height = frame.width * factor, frame.height * factor
    planes = []
    for index, plane in enumerate(frame.planes):
        is_chroma = frame.format.family == "yuv" and index in (1, 2)
        shift_x, shift_y = frame.format.chroma_shift if is_chroma else (0, 0)
        at = _place_in_cell(frame.colour.siting, (shift_x, shift_y))
        enlarged = upscale_plane(plane, factor, peak=(1 << frame.format.bit_depth) - 1, at=at)
        planes.append(enlarged[: -(-height >> shift_y), : -(-width >> shift_x)])
    for plane in planes:
        plane.flags.writeable = False
    colour = upscaled_colour(frame.colour, frame.format, frame.height, factor)
    return replace(frame, planes=tuple(planes), colour=colour)


def upscale_plane(
    plane: Plane, factor: int, *, peak: int, at: tuple[float, float] = (0.5, 0.5)
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """A plane with `factor` times as many columns and lines.

    Args:
        plane: (height, width) codes.
        factor: The factor; 1 returns the plane itself.
        peak: The highest code.
        at: Position of a sample in its cell, horizontal and vertical, 0..1; 0.5 is the middle.
    """
    if factor == 1:
        return plane
    source = plane.astype(np.float64)
    height, width = plane.shape
    result = np.empty((height * factor, width * factor), plane.dtype)
    for row in range(factor):
        lines = _filter(source, row, factor, at[1], axis=0)
        for column in range(factor):
            codes = _filter(lines, column, factor, at[0], axis=1)
            np.clip(np.rint(codes, out=codes), 0, peak, out=codes)
            result[row::factor, column::factor] = codes
    return result


def upscaled_info(info: VideoInfo, factor: int) -> VideoInfo:
    """The properties of the enlarged video. Its bit rate per pixel, for `match`, stays the same."""
    if factor == 1:
        return info
    return replace(
        info,
        width=info.width * factor,
        height=info.height * factor,
        bit_rate=None if info.bit_rate is None else info.bit_rate * factor**2,
        colour=upscaled_colour(info.colour, info.pixel_format, info.height, factor),
    )


def upscaled_colour(colour: ColourTags, form: PixelFormat, height: int, factor: int) -> ColourTags:
    """The colour tags, with an explicit matrix if players would assume another one for the larger size.

    Args:
        colour: The tags of the video.
        form: Its pixel format.
        height: Its lines.
        factor: The factor by which it is enlarged.
    """
    crosses = height < HD_LINES <= height * factor
    if form.family == "yuv" and colour.matrix in _UNSTATED and crosses:
        return replace(colour, matrix=_BT601)
    return colour


def _filter(
    plane: NDArray[np.float64], phase: int, factor: int, at: float, *, axis: int
) -> NDArray[np.float64]:
    """One of `factor` samples for each sample along an axis."""
    # In samples of the plane: output n * factor + phase is at n + position.
    position = (phase + at) / factor - at
    first = int(np.floor(position)) - LOBES + 1
    weights = lanczos(position - np.arange(first, first + 2 * LOBES))
    weights /= weights.sum()
    one = np.ones(1)
    across, down, anchor = (weights, one, (-first, 0)) if axis else (one, weights, (0, -first))
    filtered = cv2.sepFilter2D(
        plane, cv2.CV_64F, across, down, anchor=anchor, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(filtered, np.float64)


def lanczos(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """The Lanczos kernel at distances `x` from its centre, in samples."""
    return np.where(np.abs(x) < LOBES, np.sinc(x) * np.sinc(x / LOBES), 0.0)


def _place_in_cell(siting: int, shift: tuple[int, int]) -> tuple[float, float]:
    """The position of chroma samples in their cells, horizontal and vertical."""
    across, down = (1 << s for s in shift)
    x = 0.5 / across if siting in _ON_COLUMN else 0.5
    y = 0.5 / down if siting in _ON_LINE else 1 - 0.5 / down if siting in _ON_LAST_LINE else 0.5
    return x, y
