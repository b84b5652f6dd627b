"""Reads the size of an OpenEXR picture from its header, without decoding it."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_MAGIC_BYTES, _VERSION_BYTES = 4, 4
_LONGEST_NAME = 256
_MOST_ATTRIBUTES = 10_000
_BOX = struct.Struct("<4i")


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of the data window; None if the header does not state them.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(_MAGIC_BYTES + _VERSION_BYTES)
        for _ in range(_MOST_ATTRIBUTES):
            name, _kind, size = _text(file), _text(file), file.read(4)
            if not name or len(size) < 4:
                return None
            (length,) = struct.unpack("<i", size)
            if name == b"dataWindow" and length == _BOX.size:
                box = file.read(length)
                return _size_of(box) if len(box) == length else None
            file.seek(max(length, 0), os.SEEK_CUR)
    return None


def _size_of(box: bytes) -> tuple[int, int]:
    left, top, right, bottom = _BOX.unpack(box)
    return right - left + 1, bottom - top + 1


def _text(file: BinaryIO) -> bytes:
    """The bytes before the next zero byte."""
    text = b""
    while len(text) < _LONGEST_NAME and (byte := file.read(1)) not in (b"", b"\0"):
        text += byte
    return text
