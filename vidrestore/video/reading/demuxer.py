"""Opens the container of a video, and reads its packets."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import av
from av.container import Flags, InputContainer
from av.stream import Disposition, Stream

from vidrestore.errors import InputError
from vidrestore.video.formats.image_sequence import parse_pattern
from vidrestore.video.photos import png
from vidrestore.video.reading.allowed_formats import OPEN_OPTIONS
from vidrestore.video.reading.compressed_index import refuse_large_index
from vidrestore.video.reading.decoder import NOT_WHEN_OPENING
from vidrestore.video.reading.file_io import MonitoredReader, ReadMonitor, refuse_special_file
from vidrestore.video.reading.input import Input, as_input
from vidrestore.video.reading.open_errors import check_file, open_error

_MAX_FAILURES_IN_A_ROW = 100
_NO_PARSING: Any = (Flags.no_parse | Flags.no_fillin).value  # a number, despite its type stub
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
        InputError: It is not a video that can be read, or was replaced since it was described.
        ReadError: The system cannot read the file.
    """
    input = as_input(video_input)
    if input.pictures is None and input.pipe is None:
        check_file(input.path)
    pattern = parse_pattern(input.path) if input.pictures is not None else None
    with (
        closing(ReadMonitor(may_open=pattern.matches if pattern is not None else None)) as monitor,
        _open_container(input, monitor, last) as container,
    ):
        if input.pictures is None:
            input.check_unchanged()  # whichever file is read from here on has been opened by now
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
            refuse_large_index(input.path, file)
        container = _av_open(input, file, OPEN_OPTIONS, io_open)
        if input.pictures is None and input.pipe is None and _has_safe_covers(container):
            container.close()
            options = {key: text for key, text in OPEN_OPTIONS.items() if key != "codec_whitelist"}
            container = _av_open(input, monitor.file(input.path), options, io_open)
        return container
    except PermissionError as error:
        raise InputError(f"{input.path} may not be read; check its permissions") from error
    except (av.FFmpegError, OSError) as error:
        monitor.check()
        raise InputError(open_error(input)) from error


def _av_open(
    input: Input, file: Any, options: Mapping[str, str], io_open: ReadMonitor | None
) -> InputContainer:
    return av.open(
        file,
        format=input.format,
        options={**input.options, **options, **codec_options(input)},
        metadata_errors="replace",
        io_open=io_open,
    )


def is_cover(stream: Stream) -> bool:
    """Whether the stream is a cover picture."""
    return bool(stream.disposition & Disposition.attached_pic)


def _has_safe_covers(container: InputContainer) -> bool:
    """Whether covers are the only streams that were not examined at opening, and all are safe to decode.

    A cover of unknown size could not be copied.
    """
    # A stream of a codec unknown to FFmpeg has neither a context nor a name.
    unknown = [s for s in container.streams.video if getattr(s, "name", None) in NOT_WHEN_OPENING]
    if not unknown or not all(map(is_cover, unknown)):
        return False
    firsts = [next(iter(container.demux(cover)), None) for cover in unknown]
    return not any(packet is None or png.is_bomb(bytes(packet)) for packet in firsts)


def open_own_header(header: bytes, format: str = "matroska") -> InputContainer:
    """A header made by this program, opened like a file."""
    return av.open(io.BytesIO(header), "r", format=format)


def skip_parsing(container: InputContainer) -> None:
    """Makes packets come as the file stores them, with its timestamps. They cannot be decoded then."""
    container.flags = int(container.flags) | _NO_PARSING


def is_broadcast(container: InputContainer) -> bool:
    """Whether the container's clock may restart: a transport or program stream."""
    return container.format.name in _BROADCAST


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


def seek(container: InputContainer, time: int, stream: Stream | None = None) -> bool:
    """Seeks to the last key frame before `time` [the stream's ticks, or microseconds].

    Not every format has seeking in FFmpeg, and a file may lack its index.

    Args:
        container: From `open_container`.
        time: The time.
        stream: The stream whose ticks `time` counts; None: microseconds.

    Returns:
        Whether it succeeded. If not, the container's position is unknown: open it again.

    Raises:
        ReadError: The system cannot read the file.
    """
    try:
        container.seek(time, stream=stream, backward=True)
    except av.FFmpegError:
        _raise_read_error(container)
        return False
    return True


def codec_options(input: Input) -> dict[str, str]:
    """FFmpeg's options for decoders of the input: the limit on the size of pictures."""
    # FFmpeg's limit applies to its buffers, which are a little larger than the picture.
    return {"max_pixels": str(input.max_pixels + _LARGEST_PADDING)}


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
