"""Reads and writes the directories of tags in TIFF files and EXIF blocks.

Values stay bytes in their own byte order, so that unknown tags survive.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ByteOrder = Literal["<", ">"]
"""Byte order in `struct`'s notation."""
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965
FOLDERS = (EXIF, GPS, INTEROPERABILITY)
"""Tags whose value is the position of another directory."""
SHORT, LONG = 3, 4
_SIZES = {1: 1, 2: 1, SHORT: 2, LONG: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Size of a value by its type, without the types that only BigTIFF has."""
_ORDERS: dict[bytes, ByteOrder] = {b"II": "<", b"MM": ">"}
_CLASSIC, _BIG = 42, 43
_MOST_VALUE_BYTES = 1 << 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """The value of a tag."""

    type: int
    """TIFF's number of the type: 3 short, 4 long, 5 rational …"""
    count: int
    data: bytes
    """`count` values in the directory's byte order; empty if `inside` is the value."""
    inside: Mapping[int, Value] | None = None
    """The directory to which the tag points."""


Tags = Mapping[int, Value]


def read(block: bytes) -> tuple[ByteOrder, dict[int, Value]]:
    """Byte order in `struct`'s notation, and the tags of the first directory of a TIFF file or EXIF block.

    Damaged tags are left out. The values together are at most as long as the block: tags that point to the
    same bytes would need many times its memory.
    """
    order = _ORDERS.get(block[:2])
    if order is None or len(block) < 8:
        return "<", {}
    (version,) = struct.unpack_from(f"{order}H", block, 2)
    if version not in (_CLASSIC, _BIG) or (version == _BIG and len(block) < 16):
        return order, {}
    form = f"{order}Q" if version == _BIG else f"{order}I"
    (at,) = struct.unpack_from(form, block, 8 if version == _BIG else 4)
    return order, _Directories(block, order, big=version == _BIG).read(at)


def write(tags: Tags, order: ByteOrder, at: int) -> bytes:
    """The bytes of the directory and the data it points to, at position `at` of a file in this byte order.

    Args:
        tags: The tags of the directory.
        order: The byte order.
        at: The position in the file.
    """
    behind = at + 2 + 12 * len(tags) + 4
    entries, data = bytearray(), bytearray()
    for tag, value in sorted(tags.items()):
        place = behind + len(data)
        stored = value.data
        if value.inside is not None:
            data += _even(write(value.inside, order, place))
            stored = struct.pack(f"{order}I", place)
        elif len(stored) > 4:
            data += _even(stored)
            stored = struct.pack(f"{order}I", place)
        entries += struct.pack(f"{order}HHI", tag, value.type, value.count) + stored.ljust(4, b"\0")
    return struct.pack(f"{order}H", len(tags)) + bytes(entries) + bytes(4) + bytes(data)


def block(tags: Tags, order: ByteOrder) -> bytes:
    """The tags as an EXIF block."""
    name = b"II" if order == "<" else b"MM"
    return name + struct.pack(f"{order}HI", _CLASSIC, 8) + write(tags, order, 8)


def numbers(order: ByteOrder, type: int, *values: int) -> Value:
    """Values of the type SHORT or LONG."""
    letter = {SHORT: "H", LONG: "I"}[type]
    return Value(type=type, count=len(values), data=struct.pack(f"{order}{len(values)}{letter}", *values))


def opaque(data: bytes, type: int = 7) -> Value:
    """Whether the values are positions, which have no meaning in another file."""
    return Value(type=type, count=len(data) // _SIZES[type], data=data)


class _Directories:
    """Reads the directories of a block."""

    def __init__(self, block: bytes, order: ByteOrder, *, big: bool) -> None:
        self._block, self._order, self._big = block, order, big
        self._left = len(block)
        """How many bytes the values that are still to be read may have together."""

    def read(self, at: int, depth: int = 0) -> dict[int, Value]:
        """The tags of the directory at a position, which is `depth` directories deep."""
        block, order = self._block, self._order
        head, size, field = (8, 20, 8) if self._big else (2, 12, 4)
        if not 0 < at <= len(block) - head:
            return {}
        (count,) = struct.unpack_from(f"{order}Q" if self._big else f"{order}H", block, at)
        tags: dict[int, Value] = {}
        for entry in range(at + head, min(at + head + count * size, len(block) - size + 1), size):
            tag, type_, number = struct.unpack_from(
                f"{order}HHQ" if self._big else f"{order}HHI", block, entry
            )
            length = number * _SIZES.get(type_, 0)
            if not 0 < length <= min(_MOST_VALUE_BYTES, self._left) or tag in tags:
                continue
            place = entry + size - field
            if length > field:
                (place,) = struct.unpack_from(f"{order}Q" if self._big else f"{order}I", block, place)
            data = block[place : place + length]
            if len(data) != length:
                continue
            self._left -= length
            if tag in FOLDERS:
                if depth < 2 and type_ in (LONG, 13):
                    (inside_at,) = struct.unpack(f"{order}I", data[:4])
                    tags[tag] = Value(type=LONG, count=1, data=b"", inside=self.read(inside_at, depth + 1))
                continue
            tags[tag] = Value(type=type_, count=number, data=data)
        return tags


def _even(data: bytes) -> bytes:
    return data + b"\0" * (len(data) % 2)
