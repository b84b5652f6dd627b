"""Video through standard input and output.

A pipe can be read only once, but a video is opened several times: to examine it, to decode it, and to copy
its other streams. So the first bytes of the pipe are stored until reading starts, and each earlier opening
starts with them.
"""

from __future__ import annotations

import os
import select
import sys
from collections import deque
from typing import Any

from vidrestore.errors import InputError, UsageError

_WAIT_SECONDS = 0.1
_AT_A_TIME = 1 << 16


class Pipe:
    """The data from a file descriptor, which can be read from the start again until `view(last=True)`."""

    def __init__(self, descriptor: int) -> None:
        self.other_packets: deque[Any] = deque()
        """Packets of `other_streams` between those of the video, in order."""
        self.other_streams: frozenset[int] = frozenset()
        """Indices of the streams to copy besides the video."""
        self._descriptor = descriptor
        self._head = bytearray()
        self._is_buffering = True
        self._stopped = False

    @classmethod
    def of_stdin(cls) -> Pipe:
        """Raises InputError if standard input is a terminal or closed."""
        if sys.stdin is None or sys.stdin.closed:
            raise InputError("the input is -, but standard input is closed; pipe a video into it")
        if sys.stdin.isatty():
            raise InputError("the input is -, but nothing is piped in; write: ffmpeg … | vidrestore …")
        _binary(sys.stdin.fileno())
        return cls(sys.stdin.fileno())

    @property
    def is_empty(self) -> bool:
        """Whether no data has arrived so far."""
        return not self._head

    def view(self, *, last: bool = False) -> PipeView:
        """A view of the pipe from its first byte. No view can follow the last one."""
        if not self._is_buffering:
            raise RuntimeError("a pipe that is being read cannot be opened again")
        self._is_buffering = not last
        return PipeView(self)

    def interrupt(self) -> None:
        """Ends the pipe for readers that wait for more data."""
        self._stopped = True

    def read(self, position: int, size: int) -> bytes:
        """At most `size` bytes from `position`, which never decreases; empty at the end."""
        if position < len(self._head):
            return bytes(self._head[position : position + size])
        if not self._is_buffering:
            self._head.clear()
        data = self._pull(size)
        if self._is_buffering:
            self._head += data
        return data

    def _pull(self, size: int) -> bytes:
        # Windows cannot wait for a pipe with a timeout.
        while sys.platform != "win32" and not self._stopped:
            if select.select([self._descriptor], [], [], _WAIT_SECONDS)[0]:
                break
        return b"" if self._stopped else os.read(self._descriptor, min(size, _AT_A_TIME))


class PipeView:
    """A readable file without seeking, with the methods that PyAV needs."""

    name = "standard input"

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._position = 0

    def read(self, size: int) -> bytes:
        data = self._pipe.read(self._position, size)
        self._position += len(data)
        return data


class StdoutFile:
    """A writable file without seeking, with the methods that PyAV needs.

    Raises BrokenPipeError when the reader has closed the pipe.
    """

    name = "standard output"

    def __init__(self) -> None:
        if sys.stdout is None or sys.stdout.closed:
            raise UsageError("the output is -, but standard output is closed; pipe it into a program")
        if sys.stdout.isatty():
            raise UsageError(
                "the output is -, but standard output is a terminal; write: vidrestore restore … - | ffmpeg …"
            )
        sys.stdout.flush()
        self._descriptor = sys.stdout.fileno()
        _binary(self._descriptor)

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        return len(data)


def _binary(descriptor: int) -> None:
    """Switches the descriptor to binary mode: Windows would translate line ends."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(descriptor, os.O_BINARY)
