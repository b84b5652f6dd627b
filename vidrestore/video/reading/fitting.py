"""Fits pictures of another size, pixel aspect or format into the first one's frame, without distortion."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from vidrestore.types import PixelFormat, Plane, VideoInfo
from vidrestore.video.formats import pixel_formats

_ALIKE = Fraction(1, 50)
"""Relative difference in shape up to which a picture fills the frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPicture:
    """A picture in the frame of the first one."""

    planes: tuple[Plane, ...]
    is_fitted: bool = False
    """Whether its shape differed from the frame's."""
    is_converted: bool = False
    """Whether it had another sample format."""


class PictureFitter:
    """Fits pictures into the frame of the first picture."""

    def __init__(self, info: VideoInfo) -> None:
        self._info = info
        self._scaler = VideoReformatter()

    def fit(self, picture: av.VideoFrame, aspect: Fraction) -> FittedPicture:
        """The picture's planes in the frame.

        Args:
            picture: A decoded picture.
            aspect: Its pixel aspect.
        """
        info = self._info
        own = pixel_formats.describe_format(picture.format.name)
        has_shape = (picture.width, picture.height) == (info.width, info.height) and _is_near(
            aspect, info.pixel_aspect
        )
        if has_shape and own == info.pixel_format:
            return FittedPicture(planes=pixel_formats.unpack(picture))
        width, height = (
            (info.width, info.height) if has_shape else _inner_size(picture, aspect / info.pixel_aspect, info)
        )
        scaled = self._scaler.reformat(picture, width, height, format=info.pixel_format.name)
        planes = pixel_formats.unpack(scaled)
        if (width, height) != (info.width, info.height):
            planes = tuple(_framed(plane, number, info) for number, plane in enumerate(planes))
        return FittedPicture(planes=planes, is_fitted=not has_shape, is_converted=own != info.pixel_format)


def _is_near(one: Fraction, other: Fraction) -> bool:
    return abs(one - other) <= _ALIKE * other


def _inner_size(picture: av.VideoFrame, stretch: Fraction, info: VideoInfo) -> tuple[int, int]:
    """The largest width and height in the frame that keep the picture's shape, in whole chroma samples."""
    width, height = picture.width * stretch, Fraction(picture.height)
    scale = min(info.width / width, info.height / height)
    return (
        _whole_cells(width * scale, info.width, info.pixel_format.chroma_shift[0]),
        _whole_cells(height * scale, info.height, info.pixel_format.chroma_shift[1]),
    )


def _whole_cells(side: Fraction, frame_side: int, shift: int) -> int:
    if frame_side - side <= _ALIKE * frame_side:
        return frame_side
    cell = 1 << shift
    # Both sides have the same number of chroma samples, so that the picture starts with a whole one.
    left = round((frame_side - side) / 2 / cell) * cell
    return max(frame_side - 2 * left, cell)


def _framed(plane: Plane, number: int, info: VideoInfo) -> Plane:
    """The plane centred on a black plane of the frame's size."""
    right, down = info.pixel_format.chroma_shift if number in (1, 2) else (0, 0)
    whole = np.full(
        (-(-info.height >> down), -(-info.width >> right)), _black(number, info), dtype=plane.dtype
    )
    top, left = (whole.shape[0] - plane.shape[0]) // 2, (whole.shape[1] - plane.shape[1]) // 2
    whole[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
    whole.flags.writeable = False
    return whole


def _black(number: int, info: VideoInfo) -> int:
    form: PixelFormat = info.pixel_format
    if form.has_alpha and number == (1 if form.family == "gray" else 3):
        return (1 << form.bit_depth) - 1
    if form.family == "yuv" and number in (1, 2):
        return 1 << (form.bit_depth - 1)
    return 0 if info.colour.full_range or form.family == "rgb" else 16 << (form.bit_depth - 8)
