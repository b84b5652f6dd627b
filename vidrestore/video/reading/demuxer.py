"""Opens a video for reading: the container and its video stream, with an error message for each failure."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import Flags, InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from vidrestore.errors import InputError
from vidrestore.video.formats.image_sequence import parse_pattern
from vidrestore.video.formats.time_range import TimeRange
from vidrestore.video.reading.allowed_formats import OPEN_OPTIONS, describe_text
from vidrestore.video.reading.file_io import MonitoredReader, ReadMonitor, refuse_special_file
from vidrestore.video.reading.input import Input, as_input

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_MAX_FAILURES_IN_A_ROW = 100
_NO_PARSING: Any = (Flags.no_parse | Flags.no_fillin).value  # a number, despite its type stub
_SOUND_BEFORE = Fraction(1, 5)
"""Seconds: more than any audio codec needs before its first sample."""
_STREAMS_APART = 60
"""Seconds: streams whose starts are further apart are not compared."""
_BROADCAST = {"mpegts", "mpeg"}
_LARGEST_PADDING = 128 * 2**16
"""Pixels of padding that a decoder's buffer may have, for the largest number of lines of most codecs."""


@contextmanager
def open_container(video_input: Path | Input, *, last: bool = False) -> Iterator[InputContainer]:
    """The container, open while the block lasts.

    Args:
        video_input: A path or an input.
        last: Whether it is the last opening of a pipe, which frees the stored first bytes.

    Raises:
        InputError: It is not a video that can be read.
        ReadError: The system cannot read the file.
    """
    input = as_input(video_input)
    if input.pictures is None and input.pipe is None:
        _check_file(input.path)
    pattern = parse_pattern(input.path) if input.pictures is not None else None
    with (
        closing(ReadMonitor(may_open=pattern.matches if pattern is not None else None)) as monitor,
        _open_container(input, monitor, last) as container,
    ):
        yield container


def _open_container(input: Input, monitor: ReadMonitor, last: bool) -> InputContainer:
    file: Any
    io_open: ReadMonitor | None = monitor
    try:
        if input.pipe is not None:
            pipe = input.pipe.view(last=last)
            file = MonitoredReader(pipe.name, pipe, monitor)
        elif input.pictures is not None:
            pattern = parse_pattern(input.path)
            file = pattern.for_ffmpeg()
            if not _is_utf8(input.path):
                io_open = None  # FFmpeg opens these pictures itself
                for number in input.pictures:
                    refuse_special_file(pattern.path(number))
        else:
            file = monitor.file(input.path)
        return av.open(
            file,
            format=input.format,
            options={**input.options, **OPEN_OPTIONS, **_codec_options(input)},
            metadata_errors="replace",
            io_open=io_open,
        )
    except PermissionError as error:
        raise InputError(f"{input.path} may not be read; check its permissions") from error
    except (av.FFmpegError, OSError) as error:
        monitor.check()
        raise InputError(_open_error(input)) from error


def open_own_header(header: bytes) -> InputContainer:
    """A Matroska header made by this program, opened like a file."""
    return av.open(io.BytesIO(header), "r", format="matroska")


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
    stream.codec_context.options = _codec_options(input)
    return stream


def skip_parsing(container: InputContainer) -> None:
    """Makes packets come as the file stores them, with its timestamps. They cannot be decoded then."""
    container.flags = int(container.flags) | _NO_PARSING


def is_broadcast(container: InputContainer) -> bool:
    """Whether the container's clock may restart: a transport or program stream."""
    return container.format.name in _BROADCAST


def codec_name(stream: Stream) -> str | None:
    """FFmpeg's name of the stream's codec; None if it does not know the codec."""
    name: str | None = getattr(stream, "name", None)  # the attribute is missing in PyAV then
    return name


def stream_name(stream: Stream) -> str:
    """The name of the stream in messages."""
    codec = codec_name(stream) or "unnamed"
    language = f", {stream.language}" if stream.language else ""
    return f"{stream.type} stream {stream.index} ({codec}{language})"


def is_cover(stream: Stream) -> bool:
    """Whether the stream is a cover picture."""
    return bool(stream.disposition & Disposition.attached_pic)


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


def time_base(stream: Stream) -> Fraction:
    """The stream's time base: seconds per tick of its timestamps."""
    return Fraction(stream.time_base) if stream.time_base else Fraction(1, 90000)


def packets(container: InputContainer, *streams: Stream) -> Iterator[av.Packet[Stream] | None]:
    """The streams' packets in file order, without flush packets; None for a damaged one.

    Ends at the end of the file, or after a hundred damaged packets in a row.

    Args:
        container: From `open_container`.
        streams: The streams to read.

    Raises:
        ReadError: The system cannot read the file, which is neither damage nor its end.
    """
    failures = 0
    demuxer = container.demux(*streams)
    while failures < _MAX_FAILURES_IN_A_ROW:
        try:
            packet = next(demuxer)
        except (StopIteration, av.error.EOFError):
            _raise_read_error(container)
            return
        except (av.FFmpegError, OSError):
            _raise_read_error(container)
            failures += 1
            demuxer = container.demux(*streams)  # an exception has ended the generator, but not the file
            yield None
            continue
        _raise_read_error(container)
        failures = 0
        if packet.size:
            yield packet


def seek(container: InputContainer, time: int, stream: Stream | None = None) -> None:
    """Seeks to the last key frame before `time` [the stream's ticks, or microseconds].

    Args:
        container: From `open_container`.
        time: The time.
        stream: The stream whose ticks `time` counts; None: microseconds.

    Raises:
        ReadError: The system cannot read the file.
    """
    try:
        container.seek(time, stream=stream, backward=True)
    except av.FFmpegError:
        _raise_read_error(container)
        raise


def has_separate_alpha(stream: VideoStream) -> bool:
    """Whether alpha of VP8 or VP9 is stored in separate packets."""
    tags = {key.lower(): text for key, text in stream.metadata.items()}
    return stream.codec_context.codec.canonical_name in _ALPHA_DECODERS and tags.get("alpha_mode") == "1"


def decoder_of(stream: VideoStream) -> VideoStream | av.VideoCodecContext:
    """The decoder of the stream's packets: FFmpeg's own VP8 and VP9 decoders ignore alpha."""
    if not has_separate_alpha(stream):
        return stream
    decoder = av.CodecContext.create(_ALPHA_DECODERS[stream.codec_context.codec.canonical_name], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.options = dict(stream.codec_context.options)
    return decoder


def first_picture(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    """The first picture that can be decoded, or None."""
    decoder = decoder_of(stream)
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


def _codec_options(input: Input) -> dict[str, str]:
    # FFmpeg's limit applies to its buffers, which are a little larger than the picture.
    return {"max_pixels": str(input.max_pixels + _LARGEST_PADDING)}


def _check_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"there is no file {path}; check the name and the folder")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the video file itself")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; give a video file, or - to read standard input")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; copy or export it again")


def _open_error(input: Input) -> str:
    path = input.path
    if input.pipe is not None and input.pipe.is_empty:
        return "no data came through the pipe; check the messages of the program before it"
    if input.pipe is not None:
        return (
            "the data from the pipe is not a video that can be read without seeking; "
            "pipe y4m or NUT, or name its format with --input-format"
        )
    if input.pictures is not None:
        return f"the pictures {path} are not in a known format; check that they open in a viewer"
    if input.format is not None:
        return f"{path} is not {input.format} video; leave --input-format out or check the file"
    with path.open("rb") as file:
        head = file.read(1024)
    if (text := describe_text(head)) is not None:
        return f"{path} is {text}, which only names other files; give the video itself"
    if head[4:8] == b"ftyp":
        return f"{path} was cut short: the index of its frames (moov) is missing; copy or export it again"
    return f"{path} is not a video in a known format; check that it plays in a player"


def _raise_read_error(container: InputContainer) -> None:
    monitor: ReadMonitor | None = container.io_open
    if monitor is not None:
        monitor.check()


def _is_utf8(path: Path) -> bool:
    """Whether PyAV can open a file of that name: it treats all names as UTF-8."""
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError:
        return False
    return True
