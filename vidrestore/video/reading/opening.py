"""Makes the input of a path, with the clock restarts of a broadcast."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vidrestore.errors import InputError
from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.clock import ClockMap, scan_clock
from vidrestore.video.reading.input import Input, describe_input

_PACKET_SIZES = (188, 192, 204)
_SYNC, _SYNCS = 0x47, 5
_PROGRAM_STREAM = b"\0\0\1\xba"
_HEAD_BYTES = (_SYNCS + 1) * max(_PACKET_SIZES)


def open_input(path: Path, *, reads_clock: bool = True, **how: Any) -> Input:
    """The input at `path`, as `describe_input` with the same arguments; a broadcast with its clock restarts.

    Args:
        path: The path.
        reads_clock: Whether to read a broadcast to its end for restarts of its clock. Without them its times
            are right only if there are none.
        how: The arguments of `describe_input`.

    Raises:
        InputError: It cannot be read.
        UsageError: The arguments do not fit together.
    """
    input = describe_input(path, **how)
    if input.pipe is not None or input.pictures is not None:
        return input
    input = replace(input, head=_read_head(input.path))
    if reads_clock and input.format is None and input.head is not None and _is_broadcast(input.head):
        return replace(input, clock=_read_clock(input))
    return input


def is_broadcast(path: Path) -> bool:
    """Whether the file looks like a transport or program stream, whose clock may restart."""
    return _is_broadcast(_read_head(path) or b"")


def _read_head(path: Path) -> bytes | None:
    """The first bytes of a file; None where it cannot be read, which is reported when it is opened."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return None


def _is_broadcast(head: bytes) -> bool:
    """Whether the file looks like a transport or program stream; other files are not scanned."""
    return head.startswith(_PROGRAM_STREAM) or any(_has_syncs(head, size) for size in _PACKET_SIZES)


def _has_syncs(head: bytes, size: int) -> bool:
    return any(
        all(head[at : at + 1] == bytes([_SYNC]) for at in range(first, first + _SYNCS * size, size))
        for first in range(size)
    )


def _read_clock(input: Input) -> ClockMap | None:
    with demuxer.open_container(input) as container:
        if not demuxer.is_broadcast(container):
            return None
        try:
            video = stream_info.video_stream(container, input)
        except InputError:
            return None  # it is reported when the video is opened
        demuxer.skip_parsing(container)
        wanted = [video, *container.streams.audio]
        return scan_clock(demuxer.packets(container, *wanted), video.index)
