"""Converts planes to pictures in the encoder's pixel format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from vidrestore.colour.matrices import HD_LINES
from vidrestore.errors import OutputError
from vidrestore.types import ColourTags, PixelFormat, Plane
from vidrestore.video.formats import pixel_formats
from vidrestore.video.writing import palette
from vidrestore.video.writing.encoders import Encoding
from vidrestore.video.writing.palette import PaletteGraph

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
    """Converts planes to pictures for an encoder."""

    def __init__(
        self,
        encoding: Encoding,
        frames: PixelFormat,
        colour: ColourTags,
        height: int,
        coded_size: tuple[int, int] | None = None,
    ) -> None:
        """`height`: of the video; `coded_size`: width and height to which the planes are padded."""
        self._coded_size = coded_size
        self._is_flattened = frames.has_alpha and not encoding.format.has_alpha and frames.family == "rgb"
        self._palette: PaletteGraph | None = None
        if encoding.pixel_format == palette.PIXEL_FORMAT:
            self._is_flattened = False  # one of the palette's colours is transparent
        if self._is_flattened:
            frames = pixel_formats.describe_format(frames.name.replace("gbrap", "gbrp"))
        self.colour = _converted_colour(encoding, frames, colour, height)
        """Colour tags of the result: the frames' own, unless RGB becomes YUV or the other way round."""
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
        """The picture of the planes, in the encoder's pixel format."""
        if self._is_flattened:
            planes = _on_white(planes, self._frames.bit_depth)
        if self._coded_size is not None:
            planes = [_padded(plane, *self._coded_size) for plane in planes]
        if self._encoding.exact:
            return pixel_formats.pack(planes, self._encoding.pixel_format)
        name = self._frames.name
        if self._frames.family == "gray" and self._encoding.format.family == "yuv":
            name, planes = _grey_as_yuv(planes[0], self._frames.bit_depth)
        picture = pixel_formats.pack(planes, name)
        if name == self._encoding.pixel_format:
            return picture
        if self._encoding.pixel_format == palette.PIXEL_FORMAT:
            return self._with_palette(picture)
        return self._scaler.reformat(
            picture, format=self._encoding.pixel_format, interpolation=_EXACT_SCALING, **self._how
        )

    def _with_palette(self, picture: av.VideoFrame) -> av.VideoFrame:
        if self._frames.family == "yuv":
            picture = self._scaler.reformat(
                picture,
                format="gbrap" if self._frames.has_alpha else "gbrp",
                interpolation=_EXACT_SCALING,
                **self._how,
            )
        if self._palette is None:
            self._palette = PaletteGraph(picture.format.name, picture.width, picture.height)
        return self._palette.convert(picture)


def _on_white(planes: Sequence[Plane], bit_depth: int) -> tuple[Plane, ...]:
    """Green, blue and red, composited over white with their alpha."""
    peak = (1 << bit_depth) - 1
    alpha = planes[3].astype(np.float32) / peak
    kind: Any = np.uint8 if bit_depth == 8 else np.uint16
    return tuple(np.rint(plane * alpha + peak * (1 - alpha)).astype(kind) for plane in planes[:3])


def _padded(plane: Plane, width: int, height: int) -> Plane:
    """The plane, padded by repeating its last column and line."""
    rows, columns = height - plane.shape[0], width - plane.shape[1]
    if not rows and not columns:
        return plane
    padded: Any = np.pad(plane, ((0, rows), (0, columns)), mode="edge")  # in the plane's own type
    return cast("Plane", padded)


def _converted_colour(encoding: Encoding, frames: PixelFormat, colour: ColourTags, height: int) -> ColourTags:
    target = encoding.format
    if {frames.family, target.family} != {"rgb", "yuv"}:
        return colour
    if target.family == "rgb":
        return replace(colour, matrix=0, full_range=True, siting=0)
    # JPEG is always BT.601 with full range, for all sizes.
    if encoding.codec == "mjpeg":
        return replace(colour, matrix=5, full_range=True)
    return replace(colour, matrix=1 if height >= HD_LINES else 6, full_range=False)


def _coefficients(colour: ColourTags, height: int) -> int:
    """swscale's number of the matrix; for RGB any.

    Raises:
        OutputError: swscale does not support the matrix.
    """
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
