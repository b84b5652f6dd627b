"""Frames of a part of a video, read once more: the same as the first time, bit for bit, or not at all.

Where decoding may begin in the middle, containers and decoders do not always say truly: groups of pictures
are open, indexes are missing, streams refresh by stripes, damage has consequences. So the first reading notes
what it saw, and this one begins near the part, compares, and where something differs begins earlier.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from vidrestore.errors import InputError, ReadError
from vidrestore.types import Frame, VideoInfo
from vidrestore.video.photos import reading as photos
from vidrestore.video.reading import demuxer
from vidrestore.video.reading.frames import read_ticks
from vidrestore.video.reading.input import Input

_EARLIER_SECONDS = 12.0
"""By which decoding begins earlier at the second attempt; the third begins with the video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFingerprint:
    """A frame as it was read the first time."""

    index: int
    """From 0, in the whole video or the part of it that is asked for."""
    pts: int
    duration: int
    checksum: int
    """See `checksum`."""


def checksum(frame: Frame) -> int:
    """CRC-32 of the frame's samples."""
    crc = 0
    for plane in frame.planes:
        crc = zlib.crc32(np.ascontiguousarray(plane).data, crc)
    return crc


def reread_frames(
    video_input: Input,
    info: VideoInfo,
    fingerprints: Sequence[FrameFingerprint],
    *,
    continue_after: bool = False,
    end: float | None = None,
    on_lost: Callable[[], None] | None = None,
    on_concealed: Callable[[], None] | None = None,
) -> Iterator[Frame]:
    """The frames `fingerprints`, which follow one another, with their indices.

    With `continue_after` also those after them, seen for the first time, until `end` [seconds, as
    `read_frames` takes it]; the callbacks are as there. Raises InputError where the video does not give
    `fingerprints` any more, ReadError where it cannot be read twice.
    """
    done = 0
    stop = end_tick(video_input, end) if continue_after else fingerprints[-1].pts + 1
    for attempt, begin in enumerate(_start_points(info, fingerprints[0].pts)):
        is_last = begin is None
        frames = read_ticks(
            video_input, info, first=begin, stop=stop, on_lost=on_lost, on_concealed=on_concealed
        )
        try:
            for frame in frames:
                if done >= len(fingerprints):
                    yield replace(frame, index=fingerprints[0].index + done)
                    done += 1
                    continue
                expected = fingerprints[done]
                if frame.pts < expected.pts:
                    continue
                if frame.pts != expected.pts or (not is_last and checksum(frame) != expected.checksum):
                    break
                # What is damaged may be patched differently each time: then what comes from the very
                # beginning is as good as what came before.
                yield replace(frame, index=expected.index, duration=expected.duration)
                done += 1
        except ReadError:
            # A network drive may be back a moment later.
            if attempt or done >= len(fingerprints):
                raise
        if done >= len(fingerprints):
            return
    raise InputError(
        f"{video_input.path} does not give the same frames when it is read again; check the disk it is on, "
        "and copy the file again"
    )


def end_tick(video_input: Input, end: float | None) -> int | None:
    """The first timestamp behind `end`, or None."""
    if end is None:
        return None
    with demuxer.open_container(video_input) as container:
        stream = demuxer.video_stream(container, video_input)
        return demuxer.time_range_of(stream, video_input, None, end).stop(demuxer.time_base(stream))


def tick_at(video_input: Input, info: VideoInfo, seconds: float) -> int:
    """The timestamp of a time in seconds from the video's first frame."""
    if video_input.is_exr or photos.is_read_here(photos.first_photo(video_input)):
        return round(Fraction(seconds) / info.time_base)
    tick = end_tick(video_input, seconds)
    assert tick is not None
    return tick


def _start_points(info: VideoInfo, pts: int) -> Iterator[int | None]:
    yield pts
    yield pts - round(_EARLIER_SECONDS / info.time_base)
    yield None
