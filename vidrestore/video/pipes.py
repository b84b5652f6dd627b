"""Video through standard input and output.

A pipe can be read once, yet a video is opened several times: to be probed, to be read, to copy what lies
beside its picture. So the pipe's head is kept until reading begins, and each opening before starts from it.
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
    """What comes through a descriptor, from its beginning as often as wanted until `view(last=True)`."""

    def __init__(self, descriptor: int) -> None:
        self.other_packets: deque[Any] = deque()
        """Packets of `other_streams` streams that lay between those of the picture, in order."""
        self.other_streams: frozenset[int] = frozenset()
        """Indices of the streams to be kept besides the picture."""
        self._descriptor = descriptor
        self._head = bytearray()
        self._is_buffering = True
        self._stopped = False

    @classmethod
    def of_stdin(cls) -> Pipe:
        """Raises InputError where standard input is a keyboard or closed."""
        if sys.stdin is None or sys.stdin.closed:
            raise InputError("the input is -, but standard input is closed; pipe a video into it")
        if sys.stdin.isatty():
            raise InputError("the input is -, but nothing is piped in; write: ffmpeg … | vidrestore …")
        _binary(sys.stdin.fileno())
        return cls(sys.stdin.fileno())

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come so far."""
        return not self._head

    def view(self, *, last: bool = False) -> PipeView:
        """The pipe from its beginning. After the last view there is no other."""
        if not self._is_buffering:
            raise RuntimeError("a pipe that is being read cannot be opened again")
        self._is_buffering = not last
        return PipeView(self)

    def interrupt(self) -> None:
        """Ends the pipe for whoever waits for more of it."""
        self._stopped = True

    def read(self, position: int, size: int) -> bytes:
        """At most `size` bytes from `position` on, which only ever moves ahead; none at the end."""
        if position < len(self._head):
            return bytes(self._head[position : position + size])
        if not self._is_buffering:
            self._head.clear()
        data = self._pull(size)
        if self._is_buffering:
            self._head += data
        return data

    def _pull(self, size: int) -> bytes:
        # Windows cannot wait for a pipe with a limit.
        while sys.platform != "win32" and not self._stopped:
            if select.select([self._descriptor], [], [], _WAIT_SECONDS)[0]:
                break
        return b"" if self._stopped else os.read(self._descriptor, min(size, _AT_A_TIME))


class PipeView:
    """A file that can be read forwards, as PyAV wants one."""

    name = "standard input"

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._position = 0

    def read(self, size: int) -> bytes:
        data = self._pipe.read(self._position, size)
        self._position += len(data)
        return data


class StdoutFile:
    """A file that can be written forwards, as PyAV wants one. A reader that has left is a BrokenPipeError."""

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
    """Windows would translate line ends."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(descriptor, os.O_BINARY)
