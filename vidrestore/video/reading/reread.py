"""Reads a part of a video again, with frames identical to those of the first time, or fails.

Containers and decoders do not always know where decoding can start: groups of pictures are open, indexes are
missing, streams refresh by stripes, damage has consequences. So the first pass records fingerprints. This one
starts near the part, compares, and starts earlier if something differs.
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
from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.frames import read_ticks
from vidrestore.video.reading.input import Input

_EARLIER_SECONDS = 12.0
"""How much earlier the second attempt starts; the third starts with the video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFingerprint:
    """Identifies a frame as it was read the first time."""

    index: int
    """Number of the frame from 0, in the video or its selected part."""
    pts: int
    duration: int
    checksum: int
    """From `checksum`."""


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
    """The frames with these fingerprints, with the same indices.

    Args:
        video_input: The video.
        info: Its properties.
        fingerprints: Of consecutive frames.
        continue_after: Whether to yield also the frames after them, which are read for the first time.
        end: As in `read_frames`.
        on_lost: As in `read_frames`.
        on_concealed: As in `read_frames`.

    Raises:
        InputError: The video does not give the same frames any more.
        ReadError: The system cannot read it again.
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
                # Concealment of damage may differ each time: then the frames decoded from the very
                # start are as good as the first ones.
                yield replace(frame, index=expected.index, duration=expected.duration)
                done += 1
        except ReadError:
            # A network drive may be available again a moment later.
            if attempt or done >= len(fingerprints):
                raise
        if done >= len(fingerprints):
            return
    raise InputError(
        f"{video_input.path} does not give the same frames when it is read again; check the disk it is on, "
        "and copy the file again"
    )


def end_tick(video_input: Input, end: float | None) -> int | None:
    """The first timestamp after `end`, or None."""
    if end is None:
        return None
    with demuxer.open_container(video_input) as container:
        stream = stream_info.video_stream(container, video_input)
        return stream_info.time_range_of(stream, video_input, None, end).stop(stream_info.time_base(stream))


def tick_at(video_input: Input, info: VideoInfo, seconds: float) -> int:
    """The timestamp of a time in seconds from the video's first frame.

    Args:
        video_input: The input.
        info: Its properties.
        seconds: The time.
    """
    if video_input.is_exr or photos.is_read_here(photos.first_photo(video_input)):
        return round(Fraction(seconds) / info.time_base)
    tick = end_tick(video_input, seconds)
    assert tick is not None
    return tick


def _start_points(info: VideoInfo, pts: int) -> Iterator[int | None]:
    yield pts
    yield pts - round(_EARLIER_SECONDS / info.time_base)
    yield None
