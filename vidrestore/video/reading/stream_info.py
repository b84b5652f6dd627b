"""One stream of an opened video: its names, its time base, its time range, and its first picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from vidrestore.errors import InputError
from vidrestore.video.formats.time_range import TimeRange
from vidrestore.video.reading.decoder import Decoder
from vidrestore.video.reading.demuxer import codec_options, is_cover, packets
from vidrestore.video.reading.input import Input, as_input

ISO_TITLE = "name"
"""FFmpeg's key for the title of a track that it reads from MP4 or MOV; in all else the key is `title`."""
_SOUND_BEFORE = Fraction(1, 5)
"""Seconds: more than any audio codec needs before its first sample."""
_STREAMS_APART = 60
"""Seconds: streams whose starts are further apart are not compared."""


def video_stream(container: InputContainer, video_input: Path | Input) -> VideoStream:
    """The first video stream that is not a cover.

    Raises:
        InputError: There is none, or its codec is not known.
    """
    input = as_input(video_input)
    path = input.path
    streams = [stream for stream in container.streams.video if not is_cover(stream)]
    if not streams:
        held = "only sound" if container.streams.audio else "no video"
        raise InputError(f"{path} holds {held}; give a file with a video stream")
    stream = streams[0]
    # A stream with a codec unknown to FFmpeg has no context.
    if not hasattr(stream, "codec_context") or stream.codec_context is None:
        raise InputError(f"the video in {path} is in a format that cannot be decoded here; convert it first")
    stream.codec_context.options = codec_options(input)
    return stream


def codec_name(stream: Stream) -> str | None:
    """FFmpeg's name of the stream's codec; None if it does not know the codec."""
    name: str | None = getattr(stream, "name", None)  # the attribute is missing in PyAV then
    return name


def canonical_codec_name(stream: Stream) -> str | None:
    """FFmpeg's name of the codec itself, not of the decoder: mp3, not mp3float; None if it is not known."""
    context = getattr(stream, "codec_context", None)  # missing in PyAV, or None, then
    return None if context is None else str(context.codec.canonical_name)


def stream_name(stream: Stream) -> str:
    """The name of the stream in messages."""
    codec = codec_name(stream) or "unnamed"
    language = f", {stream.language}" if stream.language else ""
    return f"{stream.type} stream {stream.index} ({codec}{language})"


def time_base(stream: Stream) -> Fraction:
    """The stream's time base: seconds per tick of its timestamps."""
    return Fraction(stream.time_base) if stream.time_base else Fraction(1, 90000)


def time_range_of(stream: VideoStream, input: Input, start: float | None, end: float | None) -> TimeRange:
    """The part between `start` and `end` [seconds from the first video frame].

    Args:
        stream: The video stream.
        input: The input.
        start: First time to include; None: the start.
        end: First time to exclude; None: the end.
    """
    origin = (stream.start_time or 0) * time_base(stream)
    if input.clock is not None:
        origin = input.clock.start
    return TimeRange(origin=origin, start=start, end=end, below_zero=_below_zero(stream, origin))


def _below_zero(stream: VideoStream, origin: Fraction) -> Fraction:
    """Seconds by which streams start before 0, if that is more than audio encoders need."""
    starts = [
        (other.start_time or 0) * time_base(other)
        for other in stream.container.streams
        if other.type in ("video", "audio") and not is_cover(other) and other.index != stream.index
    ]
    near = [time for time in starts if abs(time - origin) <= _STREAMS_APART]
    earliest = min([origin, *near])
    return earliest if origin < 0 or earliest < -_SOUND_BEFORE else Fraction(0)


def first_picture(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    """The first picture that can be decoded, or None."""
    decoder = Decoder(stream)
    for packet in packets(container, stream):
        try:
            pictures = decoder.decode(packet) if packet is not None else []
        except av.FFmpegError:
            continue
        if pictures:
            return pictures[0]
    try:
        return next(iter(decoder.decode(None)), None)
    except av.FFmpegError:
        return None
