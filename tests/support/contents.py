"""The metadata and content of a file, read with PyAV, and how it differs from another file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vidrestore.video.formats.pixel_formats import unpack

Packet = tuple[Fraction, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A file in plain values, to be compared."""

    times: list[Fraction]
    """Of each frame [seconds]."""
    tick: Fraction
    """Of the video's timestamps [seconds]."""
    size: tuple[int, int]
    pixel_format: str
    tags: tuple[int, int, int, int]
    """Matrix, primaries, transfer, range."""
    aspect: Fraction
    matrix: bytes
    """The display matrix, or nothing."""
    hdr: dict[str, bytes]
    """Mastering display and light level, raw."""
    interlaced: bool
    kinds: list[tuple[str, str]]
    """Type and codec of each stream but the video, in order."""
    languages: list[str | None]
    defaults: list[bool]
    """Whether each sound track is the default one; where none is, the first, as MP4 writes it."""
    packets: list[list[Packet]]
    """Time and content of the packets of each of those streams."""
    ticks: list[Fraction]
    sounds: list[bytes]
    """The packets of each sound track, joined: some containers cut PCM otherwise."""
    chapters: list[tuple[Fraction, Fraction, str]]
    attachments: list[bytes]
    title: str | None
    pixels: list[list[NDArray[Any]]]
    """The planes of each frame."""


def contents_of(path: Path) -> Contents:
    """Reads the file twice: for its pictures, and for everything else."""
    with av.open(str(path)) as container:
        video: Any = container.streams.video[0]
        pictures = list(container.decode(video))
        first: Any = pictures[0]
        sides = {str(side.type).rsplit(".", 1)[-1]: bytes(side) for side in first.side_data}
        aspect = video.sample_aspect_ratio
        chapters = [
            (
                c["start"] * Fraction(c["time_base"]),
                c["end"] * Fraction(c["time_base"]),
                c["metadata"]["title"],
            )
            for c in container.chapters()
        ]
        title = container.metadata.get("title", container.metadata.get("TITLE"))
        attachments = [bytes(stream.data) for stream in container.streams.attachments]
        tags = tuple(getattr(first, name) for name in ("colorspace", "color_primaries", "color_trc"))
        tick, planes = Fraction(video.time_base), [[np.array(p) for p in unpack(f)] for f in pictures]
    others, packets = _packets(path)
    return Contents(
        times=[picture.pts * tick for picture in pictures],
        tick=tick,
        size=(first.width, first.height),
        pixel_format=first.format.name,
        tags=(*tags, first.color_range),
        aspect=Fraction(aspect) if aspect else Fraction(1),
        matrix=sides.get("DISPLAYMATRIX", b"")[:36],
        hdr={
            key: sides[key] for key in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL") if key in sides
        },
        interlaced=first.interlaced_frame,
        kinds=[(kind, codec) for kind, codec, _, _, _ in others],
        languages=[None if language == "und" else language for _, _, language, _, _ in others],
        defaults=_defaults([default for kind, _, _, default, _ in others if kind == "audio"]),
        packets=packets,
        ticks=[tick for _, _, _, _, tick in others],
        sounds=[
            b"".join(data for _, data in content)
            for (kind, *_), content in zip(others, packets, strict=True)
            if kind == "audio"
        ],
        chapters=chapters,
        attachments=attachments,
        title=title,
        pixels=planes,
    )


def differences(before: Contents, after: Contents, *, besides: frozenset[str]) -> list[str]:
    """Names of the fields that are not equal; times as exactly as the second file's ticks can say them."""
    unequal = [
        field.name
        for field in fields(Contents)
        if field.name not in ("times", "tick", "packets", "ticks", "pixels")
        and getattr(before, field.name) != getattr(after, field.name)
    ]
    if not _same_times(before.times, after.times, after.tick):
        unequal.append("times")
    for original, result, tick in zip(before.packets, after.packets, after.ticks, strict=False):
        same = [data for _, data in original] == [data for _, data in result]
        if not same or not _same_times([time for time, _ in original], [time for time, _ in result], tick):
            unequal.append("packets")
    if not all(
        np.array_equal(a, b)
        for one, two in zip(before.pixels, after.pixels, strict=False)
        for a, b in zip(one, two, strict=False)
    ):
        unequal.append("pixels")
    return [name for name in unequal if name not in besides]


def _defaults(stated: list[bool]) -> list[bool]:
    return stated if any(stated) else [number == 0 for number in range(len(stated))]


def _same_times(original: list[Fraction], result: list[Fraction], tick: Fraction) -> bool:
    """Equal; where no whole number of ticks is the time asked for, the nearest one."""
    return len(original) == len(result) and all(
        abs(a - b) <= (tick / 2 if a % tick else 0) for a, b in zip(original, result, strict=True)
    )


def _packets(path: Path) -> tuple[list[tuple[str, str, str | None, bool, Fraction]], list[list[Packet]]]:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        streams = [s for s in container.streams if s.index != video.index and s.type != "attachment"]
        described = [
            (
                s.type,
                s.name or "",
                s.language,
                bool(s.disposition & av.stream.Disposition.default),
                Fraction(s.time_base or 1),
            )
            for s in streams
        ]
        found: dict[int, list[Packet]] = {s.index: [] for s in streams}
        for packet in container.demux(*streams) if streams else ():
            if packet.size and packet.pts is not None:
                found[packet.stream.index].append((packet.pts * Fraction(packet.time_base), bytes(packet)))
    return described, list(found.values())
