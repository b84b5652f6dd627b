"""Side data of pictures: orientation, chroma siting, field order, HDR metadata."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

import av
from av.sidedata.sidedata import Type

from vidrestore.types import UPRIGHT, FieldOrder, Orientation
from vidrestore.video.ffmpeg_log import capture_log
from vidrestore.video.formats.filter_graph import FilterGraph

Entries = list[tuple[str, bytes]]
"""PyAV's name of a type of side data, and its content."""
SITINGS = ("unspecified", "left", "center", "topleft", "top", "bottomleft", "bottom")
"""FFmpeg's names, by the codes of AVChromaLocation."""
_READABLE = (
    "DISPLAYMATRIX", "MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL", "DYNAMIC_HDR_PLUS",
    "DYNAMIC_HDR_VIVID", "DOVI_METADATA", "DOVI_RPU_BUFFER", "SEI_UNREGISTERED", "PANSCAN",
    "A53_CC", "AFD",
)  # fmt: skip
_REMOVED_TYPES = sorted(set(range(64)) - {Type[name].value for name in _READABLE})
"""Codes of AVFrameSideDataType: 32 in FFmpeg 8, and some more for later versions."""
_FIELD_ORDERS: dict[str, FieldOrder] = {"T": "top", "B": "bottom", "P": "progressive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdr10:
    """Static metadata of the mastering display and the content's light level; None: not stated."""

    primaries: tuple[Fraction, ...] | None = None
    """Red, green and blue x y, then white x y, as in CIE 1931."""
    luminance: tuple[Fraction, Fraction] | None = None
    """Minimum and maximum luminance of the mastering display [cd/m2]."""
    light: tuple[int, int] | None = None
    """Maximum content light level and maximum frame-average light level [cd/m2]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideData:
    """The side data at the start of a video."""

    matrix: tuple[int, ...] | None = None
    """The display matrix."""
    hdr: Hdr10 | None = None
    has_dynamic_hdr: bool = False
    """Whether it has HDR10+, HDR Vivid or Dolby Vision metadata."""
    has_separate_alpha: bool = False
    """Whether alpha is stored in separate packets."""
    pictures: int = 1
    """Number of decoded pictures with captions."""
    other_streams: tuple[str, ...] = ()
    """Names of all streams other than the video, for messages."""
    pieces: frozenset[str] = frozenset()
    """Keys of `formats/pieces.py` for the pieces in the file and its first pictures."""

    @classmethod
    def of(cls, found: Entries) -> Self:
        """The side data that follows from a picture's `entries`."""
        return cls(
            matrix=display_matrix(found),
            hdr=hdr10(found),
            has_dynamic_hdr=any(kind.startswith(("DYNAMIC_HDR", "DOVI")) for kind, _ in found),
        )


def showinfo(picture: av.VideoFrame) -> str:
    """FFmpeg's description of the picture: the only way to learn some of its properties."""
    shape = (picture.format.name, picture.width, picture.height)
    graph = FilterGraph(*shape, Fraction(1, 25), ("showinfo", "checksum=0"))
    return capture_log(lambda: list(graph.filter(picture)))


def siting_and_field_order(picture: av.VideoFrame) -> tuple[int, FieldOrder]:
    """AVChromaLocation's code and the field order, from FFmpeg's description of a frame."""
    text = showinfo(picture)
    siting = re.search(r"\bcl:(\w+)", text)
    order = re.search(r"\bi:([TBP])\b", text)
    name = siting.group(1) if siting else ""
    code = SITINGS.index(name) if name in SITINGS else 0
    return code, _FIELD_ORDERS[order.group(1)] if order else "progressive"


def hdr10(found: Entries) -> Hdr10 | None:
    """The static HDR metadata among the `entries` of a picture, or None."""
    primaries = luminance = light = None
    for kind, data in found:
        if kind == "MASTERING_DISPLAY_METADATA" and len(data) >= 88:
            # AVMasteringDisplayMetadata: ten rationals, then whether the first eight and the last two are set
            numbers = struct.unpack("=22i", data[:88])
            values = [Fraction(n, d or 1) for n, d in zip(numbers[0:20:2], numbers[1:20:2], strict=True)]
            primaries = tuple(values[:8]) if numbers[20] else None
            luminance = (values[8], values[9]) if numbers[21] else None
        elif kind == "CONTENT_LIGHT_LEVEL" and len(data) >= 8:
            greatest, average = struct.unpack("=2I", data[:8])
            light = (greatest, average)
    if primaries is None and luminance is None and light is None:
        return None
    return Hdr10(primaries=primaries, luminance=luminance, light=light)


def display_matrix(found: Entries) -> tuple[int, ...] | None:
    """The nine numbers of the display matrix among the `entries` of a picture, or None."""
    for kind, data in found:
        if kind == "DISPLAYMATRIX" and len(data) >= 36:
            return struct.unpack("=9i", data[:36])
    return None


def entries(picture: av.VideoFrame) -> Entries:
    """The supported side data of the picture: PyAV's name of the type, and the content.

    PyAV 18 frees the metadata of side data although the frame also frees it: reading `VideoFrame.side_data`
    of a PNG with a colour profile crashes the process. It also lists either all side data or none, and raises
    ValueError for unknown types such as EXIF. So a filter first removes all side data except the types in
    `_READABLE`, which have no metadata.
    """
    removed = [("sidedata", f"mode=delete:type={number}") for number in _REMOVED_TYPES]
    graph = FilterGraph(picture.format.name, picture.width, picture.height, Fraction(1, 25), *removed)
    found: Entries = []
    for rest in graph.filter(picture):
        side_data: Any = rest.side_data  # iterates over its values, contrary to its type stub
        found += [(entry.type.name, bytes(entry)) for entry in side_data]
    return found


_SLANT = 0.01
"""Share of the largest coefficient of a display matrix up to which others count as 0 or equal."""


def is_distorting(matrix: tuple[int, ...] | None) -> bool:
    """Whether the matrix does more than to turn by quarters and to mirror: it slants, or scales unequally."""
    if matrix is None:
        return False
    across, down, other_across, other_down = matrix[0], matrix[1], matrix[3], matrix[4]
    sizes = sorted(abs(value) for value in (across, down, other_across, other_down))
    return sizes[1] > _SLANT * sizes[3] or sizes[3] - sizes[2] > _SLANT * sizes[3]


def orientation(matrix: tuple[int, ...] | None) -> Orientation:
    """Rotation and mirroring by the matrix, rounded to a quarter turn."""
    if matrix is None:
        return UPRIGHT
    across, down, other_across, other_down = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = across * other_down < down * other_across
    if mirrored:
        across = -across  # the rest is the rotation before mirroring
    turn = round(-math.degrees(math.atan2(down, across)) / 90) * 90 % 360
    return Orientation(turn=turn, mirrored=mirrored)
