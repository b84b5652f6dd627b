"""Animated WebP as a video, read with Pillow: FFmpeg reads only still WebP."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np

from vidrestore.errors import InputError, ReadError
from vidrestore.types import ColourTags, Frame, Plane, VideoInfo
from vidrestore.video.formats.pixel_formats import describe_format
from vidrestore.video.formats.time_range import TimeRange
from vidrestore.video.photos.photo import Photo, opened
from vidrestore.video.photos.pillow_errors import PILLOW_ERRORS
from vidrestore.video.reading.input import Input

_TICK = Fraction(1, 1000)
_SHORTEST = 10
"""Milliseconds: browsers show pictures with a shorter duration for 100."""
_SHOWN_INSTEAD = 100
_FORMAT = "gbrap"


def is_animated_webp(photo: Photo | None) -> bool:
    """Whether it is a WebP with more than one picture."""
    return photo is not None and photo.kind == "webp" and photo.frames > 1


def describe(input: Input, photo: Photo) -> VideoInfo:
    """The properties of the frames that `read` yields.

    Raises:
        InputError: The file is damaged.
    """
    durations = _durations(photo.path)
    total = sum(durations) * _TICK
    first = next(iter(_pictures(photo.path)), None)
    if first is None or not durations:
        raise InputError(f"{photo.path} is damaged or cut short; copy or export it again")
    return VideoInfo(
        path=input.path,
        width=first[0].shape[1],
        height=first[0].shape[0],
        frame_rate=Fraction(len(durations)) / total,
        time_base=_TICK,
        pixel_aspect=Fraction(1),
        frame_count=len(durations),
        duration=total,
        orientation=photo.orientation,
        pixel_format=describe_format(_FORMAT),
        colour=ColourTags(matrix=0, full_range=True),
        field_order="progressive",
        codec="webp",
        bit_rate=round(photo.path.stat().st_size * 8 / total),
        other_streams=(),
        is_opaque=all(planes[3].min() == 255 for planes in _pictures(photo.path)),
        is_counted=True,
    )


def read(
    input: Input, info: VideoInfo, *, start: float | None = None, end: float | None = None
) -> Iterator[Frame]:
    """The pictures as frames, with times in milliseconds. A truncated file ends the iteration.

    Args:
        input: The animation.
        info: Its properties, from `describe`.
        start: First time to include [s].
        end: First time to exclude [s].
    """
    durations = _durations(input.path)
    times = [0, *accumulate(durations)]
    part = TimeRange(start=start, end=end)
    index = 0
    for planes, time, duration in zip(_pictures(input.path), times, durations, strict=False):
        if not part.contains(time, _TICK):
            continue
        yield Frame(
            index=index,
            pts=time,
            duration=duration,
            time_base=_TICK,
            planes=planes,
            format=info.pixel_format,
            colour=info.colour,
            orientation=info.orientation,
        )
        index += 1


def _pictures(path: Path) -> Iterator[tuple[Plane, ...]]:
    """Green, blue, red and alpha of each picture, composited over the previous ones."""
    with opened(path) as animation:
        for number in range(getattr(animation, "n_frames", 1)):
            try:
                animation.seek(number)
                rgba = np.asarray(animation.convert("RGBA"))
            except PILLOW_ERRORS:
                return
            planes = tuple(np.ascontiguousarray(rgba[..., channel]) for channel in (1, 2, 0, 3))
            for plane in planes:
                plane.flags.writeable = False
            yield planes


def _durations(path: Path) -> list[int]:
    """Duration of each picture [ms]."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReadError.of(path, error) from error
    found, at = [], 12
    while at + 24 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"ANMF":
            stated = int.from_bytes(data[at + 20 : at + 23], "little")
            found.append(stated if stated > _SHORTEST else _SHOWN_INSTEAD)
        at += 8 + size + size % 2
    return found
