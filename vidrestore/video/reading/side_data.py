"""What a picture carries beside its samples: orientation, chroma siting, field order, HDR metadata."""

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
    "A53_CC",
)  # fmt: skip
_REMOVED_TYPES = sorted(set(range(64)) - {Type[name].value for name in _READABLE})
"""Codes of AVFrameSideDataType: it had 32 in FFmpeg 8, and some are left for later ones."""
_FIELD_ORDERS: dict[str, FieldOrder] = {"T": "top", "B": "bottom", "P": "progressive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdr10:
    """Static metadata of the mastering display and of the light in the film; None: not stated."""

    primaries: tuple[Fraction, ...] | None = None
    """Red, green and blue x y, then white x y, as in CIE 1931."""
    luminance: tuple[Fraction, Fraction] | None = None
    """Least and greatest of the mastering display [cd/m2]."""
    light: tuple[int, int] | None = None
    """Brightest pixel and brightest frame average [cd/m2]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideData:
    """What a video holds beside its samples, as far as its beginning shows."""

    matrix: tuple[int, ...] | None = None
    """The display matrix."""
    hdr: Hdr10 | None = None
    has_dynamic_hdr: bool = False
    """Whether it carries HDR10+, HDR Vivid or Dolby Vision metadata of its own."""
    has_alpha_beside: bool = False
    """Whether transparency lies beside the stream's packets."""
    pictures: int = 1
    """How many were decoded, of all that there may be."""
    other_streams: tuple[str, ...] = ()
    """What all streams but the video are called."""
    pieces: frozenset[str] = frozenset()
    """Keys of `formats/pieces.py`: what the file and its first pictures hold beside samples and streams."""

    @classmethod
    def of(cls, found: Entries) -> Self:
        """What follows from the `entries` of a picture."""
        return cls(
            matrix=display_matrix(found),
            hdr=hdr10(found),
            has_dynamic_hdr=any(kind.startswith(("DYNAMIC_HDR", "DOVI")) for kind, _ in found),
        )


def showinfo(picture: av.VideoFrame) -> str:
    """FFmpeg's description of the picture: the only place that tells some of what it carries."""
    shape = (picture.format.name, picture.width, picture.height)
    graph = FilterGraph(*shape, Fraction(1, 25), ("showinfo", "checksum=0"))
    return capture_log(lambda: list(graph.filter(picture)))


def siting_and_field_order(picture: av.VideoFrame) -> tuple[int, FieldOrder]:
    """AVChromaLocation's code and the order of fields.

    Only FFmpeg's own description of a frame tells them.
    """
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
    """The nine numbers among the `entries` of a picture by which a player turns or mirrors it, or None."""
    for kind, data in found:
        if kind == "DISPLAYMATRIX" and len(data) >= 36:
            return struct.unpack("=9i", data[:36])
    return None


def entries(picture: av.VideoFrame) -> Entries:
    """Those side data of the picture that are understood here: PyAV's name of the type, and the content.

    PyAV 18 frees the metadata that side data carries although the frame owns and frees it too: touching
    `VideoFrame.side_data` of a PNG with a colour profile ends the process. It also lists all side data or
    none, and raises ValueError for a type newer than itself, such as EXIF. So a filter first takes off all
    side data but those of `_READABLE`, which FFmpeg gives no metadata.
    """
    removed = [("sidedata", f"mode=delete:type={number}") for number in _REMOVED_TYPES]
    graph = FilterGraph(picture.format.name, picture.width, picture.height, Fraction(1, 25), *removed)
    found: Entries = []
    for rest in graph.filter(picture):
        side_data: Any = rest.side_data  # iterates over its values, which its stub does not say
        found += [(entry.type.name, bytes(entry)) for entry in side_data]
    return found


def orientation(matrix: tuple[int, ...] | None) -> Orientation:
    """How the matrix turns and mirrors, to the nearest quarter turn."""
    if matrix is None:
        return UPRIGHT
    across, down, other_across, other_down = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = across * other_down < down * other_across
    if mirrored:
        across = -across  # what is left is the turn before the mirror
    turn = round(-math.degrees(math.atan2(down, across)) / 90) * 90 % 360
    return Orientation(turn=turn, mirrored=mirrored)
