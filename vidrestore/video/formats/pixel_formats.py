"""Pixel formats: converts between decoded pictures and numpy planes without changing sample values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import InputError
from vidrestore.types import PixelFormat, Plane

Positions = tuple[tuple[int, int, int], ...]
"""For each plane of the result: stored plane, offset and step of its samples, counted in samples."""


@lru_cache(maxsize=256)
def describe_format(name: str) -> PixelFormat:
    """The planar format of frames stored as `name`: yuv420p for nv12, gbrp for rgb24.

    Raises:
        InputError: The format has no planar equivalent with 8 to 16 bits.
    """
    target = _planar_name(name)
    description = av.VideoFormat(target, 256, 256)
    components = description.components
    colours = [component for component in components if not component.is_alpha]
    shift = (0, 0)
    if len(colours) > 1 and not description.is_rgb:
        shift = ((256 // colours[1].width).bit_length() - 1, (256 // colours[1].height).bit_length() - 1)
    return PixelFormat(
        name=target,
        family="gray" if len(colours) == 1 else "rgb" if description.is_rgb else "yuv",
        bit_depth=components[0].bits,
        chroma_shift=shift,
        has_alpha=len(colours) != len(components),
    )


def is_full_range(name: str) -> bool:
    """Whether the format implies full range: the yuvj formats, and RGB and grey by FFmpeg's convention."""
    return name.startswith("yuvj") or describe_format(name).family != "yuv"


def transposed(source_format: PixelFormat) -> PixelFormat:
    """The format of transposed planes: 4:2:2 becomes 4:4:0.

    Raises:
        InputError: There is none.
    """
    right, down = source_format.chroma_shift
    if right == down:
        return source_format
    for stored, rotated in (("422", "440"), ("440", "422")):
        if stored in source_format.name:
            return describe_format(source_format.name.replace(stored, rotated))
    raise InputError(
        f"{source_format.name} pictures cannot be turned upright; write them as video, such as .mkv"
    )


def unpack(picture: av.VideoFrame) -> tuple[Plane, ...]:
    """The picture's planes in the order of `describe_format`, without line padding, read-only.

    Planes that need no conversion are views of the decoder's memory; others are copied once.
    """
    name = picture.format.name
    if name in _THROUGH:
        picture = picture.reformat(format=_THROUGH[name])
        name = _THROUGH[name]
    stored = [_stored(plane, picture.format) for plane in picture.planes]
    layout = _PACKED.get(name)
    if layout is None:
        planes = [samples[:, : plane.width] for samples, plane in zip(stored, picture.planes, strict=True)]
        if picture.format.is_big_endian:
            planes = [samples.astype(np.uint16) for samples in planes]
    else:
        planes = _gather(stored, layout, picture.width, picture.height)
    for plane_samples in planes:
        plane_samples.flags.writeable = False
    return tuple(planes)


def pack(planes: Sequence[Plane], name: str) -> av.VideoFrame:
    """A picture in the format `name` with exactly these planes; `name` must be equivalent to their format."""
    height, width = planes[0].shape
    picture = av.VideoFrame(width, height, name)
    stored = [_stored(plane, picture.format) for plane in picture.planes]
    layout = _PACKED.get(name)
    if layout is None:
        for samples, plane in zip(stored, planes, strict=True):
            samples[:, : plane.shape[1]] = plane
        return picture
    if len(layout.positions) * picture.planes[0].width < stored[0].shape[1]:
        stored[0][:] = 0  # the unused byte of bgr0 and its like
    for (index, offset, step), plane in zip(layout.positions, planes, strict=True):
        last = offset + step * (plane.shape[1] - 1) + 1
        stored[index][: plane.shape[0], offset:last:step] = np.left_shift(plane, layout.shift)
    return picture


def pack_like(planes: Sequence[Plane], name: str) -> av.VideoFrame:
    """A picture in the format `name` with exactly these planes; planar, where that format cannot hold them.

    Args:
        planes: In the order of `describe_format`.
        name: The format of the picture that the planes came from.
    """
    if name not in _THROUGH:
        return pack(planes, name)
    picture = pack(planes, describe_format(name).name)
    return picture.reformat(format=name) if name in _TEN_BITS else picture


def is_float(name: str) -> bool:
    """Whether the samples of this format are floating-point numbers."""
    return re.search(r"f(16|32)(le|be)?$", name) is not None


def is_packed(name: str) -> bool:
    """Whether the samples of several planes are interleaved in this format."""
    return name in _PACKED


def is_exact(name: str) -> bool:
    """Whether `pack` can write this format: its samples are whole words."""
    try:
        return name not in _THROUGH and (name in _PACKED or _planar_name(name) == name)
    except InputError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    target: str
    positions: Positions
    shift: int = 0
    """Number of unused low bits in each word."""


_SEMI: Positions = ((0, 0, 1), (1, 0, 2), (1, 1, 2))
_SEMI_SWAPPED: Positions = ((0, 0, 1), (1, 1, 2), (1, 0, 2))
_YUYV: Positions = ((0, 0, 2), (0, 1, 4), (0, 3, 4))


def _interleaved(order: str, stored: str) -> Positions:
    """Positions of the components `order` in pixels stored as `stored`, one letter for each sample."""
    return tuple((0, stored.index(letter), len(stored)) for letter in order)


_PACKED: dict[str, _Layout] = {
    "nv12": _Layout(target="yuv420p", positions=_SEMI),
    "nv21": _Layout(target="yuv420p", positions=_SEMI_SWAPPED),
    "nv16": _Layout(target="yuv422p", positions=_SEMI),
    "nv24": _Layout(target="yuv444p", positions=_SEMI),
    "nv42": _Layout(target="yuv444p", positions=_SEMI_SWAPPED),
    "nv20le": _Layout(target="yuv422p10le", positions=_SEMI),
    **{
        f"p{code}{depth}le": _Layout(
            target=f"yuv{sampling}p{depth}le", positions=_SEMI, shift=16 - int(depth)
        )
        for code, sampling in (("0", "420"), ("2", "422"), ("4", "444"))
        for depth in ("10", "12", "16")
    },
    "yuyv422": _Layout(target="yuv422p", positions=_YUYV),
    "uyvy422": _Layout(target="yuv422p", positions=((0, 1, 2), (0, 0, 4), (0, 2, 4))),
    "yvyu422": _Layout(target="yuv422p", positions=((0, 0, 2), (0, 3, 4), (0, 1, 4))),
    "y210le": _Layout(target="yuv422p10le", positions=_YUYV, shift=6),
    "y212le": _Layout(target="yuv422p12le", positions=_YUYV, shift=4),
    "y216le": _Layout(target="yuv422p16le", positions=_YUYV),
    "vyu444": _Layout(target="yuv444p", positions=_interleaved("yuv", "vyu")),
    "vuyx": _Layout(target="yuv444p", positions=_interleaved("yuv", "vuyx")),
    "vuya": _Layout(target="yuva444p", positions=_interleaved("yuva", "vuya")),
    "uyva": _Layout(target="yuva444p", positions=_interleaved("yuva", "uyva")),
    "ayuv": _Layout(target="yuva444p", positions=_interleaved("yuva", "ayuv")),
    "ayuv64le": _Layout(target="yuva444p16le", positions=_interleaved("yuva", "ayuv")),
    "xv36le": _Layout(target="yuv444p12le", positions=_interleaved("yuv", "uyvx"), shift=4),
    "xv48le": _Layout(target="yuv444p16le", positions=_interleaved("yuv", "uyvx")),
    **{
        order: _Layout(target="gbrp", positions=_interleaved("gbr", order))
        for order in ("rgb0", "bgr0", "0rgb", "0bgr")
    },
    "rgb24": _Layout(target="gbrp", positions=_interleaved("gbr", "rgb")),
    "bgr24": _Layout(target="gbrp", positions=_interleaved("gbr", "bgr")),
    **{
        order: _Layout(target="gbrap", positions=_interleaved("gbra", order))
        for order in ("rgba", "bgra", "argb", "abgr")
    },
    **{
        f"{order}{bits}{endian}": _Layout(target=target, positions=_interleaved(wanted, order.lower()))
        for order, bits, target, wanted in (
            ("rgb", 48, "gbrp16le", "gbr"),
            ("bgr", 48, "gbrp16le", "gbr"),
            ("rgba", 64, "gbrap16le", "gbra"),
            ("bgra", 64, "gbrap16le", "gbra"),
        )
        for endian in ("le", "be")
    },
    # There is no planar grey with alpha: green, blue and red get the grey sample.
    "ya8": _Layout(target="gbrap", positions=((0, 0, 2), (0, 0, 2), (0, 0, 2), (0, 1, 2))),
    "ya16le": _Layout(target="gbrap16le", positions=((0, 0, 2), (0, 0, 2), (0, 0, 2), (0, 1, 2))),
    "ya16be": _Layout(target="gbrap16le", positions=((0, 0, 2), (0, 0, 2), (0, 0, 2), (0, 1, 2))),
}

_TEN_BITS = ("x2rgb10le", "x2bgr10le")
"""Formats with three samples of 10 bits in a word, which swscale writes exactly, too."""
_THROUGH = {
    # Formats whose samples are not whole words: swscale widens them exactly.
    **dict.fromkeys(("pal8", "rgb8", "bgr8", "rgb4_byte", "bgr4_byte", "rgb4", "bgr4"), "rgb24"),
    **dict.fromkeys(("rgb565le", "bgr565le", "rgb555le", "bgr555le", "rgb444le", "bgr444le"), "rgb24"),
    **dict.fromkeys(("rgb565be", "bgr565be", "rgb555be", "bgr555be"), "rgb24"),
    **dict.fromkeys(("monow", "monob"), "gray"),
    **dict.fromkeys(_TEN_BITS, "gbrp10le"),
    "uyyvyy411": "yuv411p",
    # Float pictures are processed with 16 bits, although no integer format holds them exactly.
    **dict.fromkeys(("gbrpf32le", "gbrpf16le"), "gbrp16le"),
    **dict.fromkeys(("gbrapf32le", "gbrapf16le"), "gbrap16le"),
    **dict.fromkeys(("grayf32le", "grayf16le"), "gray16le"),
}


def _planar_name(name: str) -> str:
    name = _THROUGH.get(name, name)
    if name in _PACKED:
        return _PACKED[name].target
    if name.startswith("yuvj"):
        return name.replace("yuvj", "yuv", 1)
    try:
        description = av.VideoFormat(name, 256, 256)
    except ValueError as error:
        raise InputError(f"there is no pixel format '{name}'") from error
    if is_float(name):
        raise InputError(
            f"a picture with floating-point samples ({name}) is not supported; convert it to 16 bits or to "
            "OpenEXR first"
        )
    if not _is_planar(description):
        raise InputError(f"the pixel format {name} is not supported; convert the video first")
    name = description.name  # without aliases: gray8 is gray
    return name.removesuffix("be") + "le" if description.is_big_endian else name


def _is_planar(description: av.VideoFormat) -> bool:
    components = description.components
    whole = all(8 <= component.bits <= 16 for component in components)
    split_fields = len({component.plane for component in components}) == len(components)
    odd = description.is_bayer or description.has_palette or "msb" in description.name
    return bool(components) and whole and split_fields and not odd


def _stored(plane: Any, description: av.VideoFormat) -> NDArray[Any]:
    """(lines, samples per line with padding), top line first."""
    wide = description.components[0].bits > 8
    dtype = (">u2" if description.is_big_endian else "<u2") if wide else "u1"
    line = abs(plane.line_size)
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, line)
    samples = lines[:, : line - line % 2].view(dtype) if wide else lines
    return samples[::-1] if plane.line_size < 0 else samples


def _gather(stored: list[NDArray[Any]], layout: _Layout, width: int, height: int) -> list[NDArray[Any]]:
    right, down = describe_format(layout.target).chroma_shift
    planes = []
    for number, (index, offset, step) in enumerate(layout.positions):
        is_chroma = number in (1, 2)
        columns = -(-width >> right) if is_chroma else width
        rows = -(-height >> down) if is_chroma else height
        samples = stored[index][:rows, offset : offset + step * (columns - 1) + 1 : step]
        planes.append(np.ascontiguousarray(samples >> layout.shift, dtype=samples.dtype.newbyteorder("=")))
    return planes
