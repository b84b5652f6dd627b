"""Planes in, pictures of the encoder's pixel format out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from vidrestore.colour.matrices import HD_LINES
from vidrestore.errors import OutputError
from vidrestore.types import ColourTags, PixelFormat, Plane
from vidrestore.video.formats import pixel_formats
from vidrestore.video.writing.encoders import Encoding

_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
"""H.273 matrix code -> swscale's."""
_SAYS_NOTHING = {0, 2, 3}
_EXACT_SCALING = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


class PixelConverter:
    """Turns planes into pictures an encoder takes."""

    def __init__(self, encoding: Encoding, frames: PixelFormat, colour: ColourTags, height: int) -> None:
        self.colour = _converted_colour(encoding, frames, colour, height)
        """Tags of what is painted: the frames' own, unless RGB becomes YUV or the other way round."""
        self._encoding = encoding
        self._frames = frames
        self._scaler = VideoReformatter()
        changes = self.colour.matrix != colour.matrix
        self._how: dict[str, Any] = {
            "src_color_range": _range(colour),
            "dst_color_range": _range(self.colour),
            **({"src_colorspace": _coefficients(colour, height)} if changes else {}),
            **({"dst_colorspace": _coefficients(self.colour, height)} if changes else {}),
        }

    def convert(self, planes: Sequence[Plane]) -> av.VideoFrame:
        if self._encoding.exact:
            return pixel_formats.pack(planes, self._encoding.pixel_format)
        name = self._frames.name
        if self._frames.family == "gray" and self._encoding.format.family == "yuv":
            name, planes = _grey_as_yuv(planes[0], self._frames.bit_depth)
        picture = pixel_formats.pack(planes, name)
        if name == self._encoding.pixel_format:
            return picture
        return self._scaler.reformat(
            picture, format=self._encoding.pixel_format, interpolation=_EXACT_SCALING, **self._how
        )


def _converted_colour(encoding: Encoding, frames: PixelFormat, colour: ColourTags, height: int) -> ColourTags:
    target = encoding.format
    if {frames.family, target.family} != {"rgb", "yuv"}:
        return colour
    if target.family == "rgb":
        return replace(colour, matrix=0, full_range=True, siting=0)
    # JPEG is BT.601 and of full range, whatever its size.
    if encoding.codec == "mjpeg":
        return replace(colour, matrix=5, full_range=True)
    return replace(colour, matrix=1 if height >= HD_LINES else 6, full_range=False)


def _coefficients(colour: ColourTags, height: int) -> int:
    """swscale's number of the matrix; RGB has none and takes what comes. Raises OutputError."""
    if colour.matrix in _MATRICES:
        return _MATRICES[colour.matrix]
    if colour.matrix not in _SAYS_NOTHING:
        raise OutputError(
            f"video of the colour matrix {colour.matrix} (H.273) cannot be converted to RGB here; choose an "
            "output name that ends in .mkv or .mp4"
        )
    return 1 if height >= HD_LINES else 5


def _range(colour: ColourTags) -> int:
    return 2 if colour.full_range else 1


def _grey_as_yuv(grey: Plane, bit_depth: int) -> tuple[str, tuple[Plane, ...]]:
    neutral = np.full_like(grey, 1 << (bit_depth - 1))
    return "yuv444p" if bit_depth == 8 else f"yuv444p{bit_depth}le", (grey, neutral, neutral)
