"""Refuses a QuickTime file whose compressed index states more than any real one: FFmpeg unpacks it whole."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from vidrestore.errors import InputError

_STARTS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_MOST_BOXES = 1000
_MOST_UNPACKED = 1 << 26
"""Bytes: 64 MB."""
_HEAD_BYTES = 64
"""More than the boxes before the unpacked size in a moov box: cmov, dcom, and the header of cmvd."""


class SeekableFile(Protocol):
    """What is needed of an open file."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""

    def seek(self, offset: int, whence: int, /) -> int:
        """The new position."""


def refuse_large_index(path: Path, file: SeekableFile) -> None:
    """Checks the size that a compressed index states, if the file has one.

    Args:
        path: The path of the file.
        file: The open file; it is at its start afterwards.

    Raises:
        InputError: It is larger than any real index.
    """
    stated = _stated_size(file)
    file.seek(0, 0)
    if stated > _MOST_UNPACKED:
        raise InputError(f"the index of {path} unpacks to more than 64 MB; copy or export the video again")


def _stated_size(file: SeekableFile) -> int:
    """The size of a compressed index; 0: there is none."""
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at, 0)
        head = file.read(_HEAD_BYTES)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if at == 0 and name not in _STARTS:
            return 0
        if name == b"moov":
            found = head.find(b"cmvd")
            is_compressed = head[12:16] == b"cmov" and found > 0
            return int.from_bytes(head[found + 4 : found + 8], "big") if is_compressed else 0
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:
            return 0
        at += size
    return 0
