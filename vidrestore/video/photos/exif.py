"""EXIF blocks: reads the orientation and changes it in place, so that all other bytes stay the same."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from vidrestore.types import UPRIGHT, Orientation

ORIENTATIONS = {
    1: UPRIGHT,
    2: Orientation(mirrored=True),
    3: Orientation(turn=180),
    4: Orientation(turn=180, mirrored=True),
    5: Orientation(turn=270, mirrored=True),
    6: Orientation(turn=270),
    7: Orientation(turn=90, mirrored=True),
    8: Orientation(turn=90),
}
"""Values of the tag Orientation, and how a viewer rotates and mirrors the picture."""
_HEAD = b"Exif\0\0"
_ORIENTATION, _EXIF_DIRECTORY = 0x0112, 0x8769
_SIZE_TAGS = {0x0100, 0x0101, 0xA002, 0xA003}
"""ImageWidth, ImageLength, PixelXDimension, PixelYDimension."""
_SHORT, _LONG = 3, 4
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=\"|>))[0-9](?=\"|<)")


def plain_block(block: bytes | None) -> bytes | None:
    """The block in TIFF's form, without JPEG's header; None if there is none."""
    return block.removeprefix(_HEAD) or None if block else None


def orientation_of(block: bytes | None) -> Orientation:
    """The picture's orientation; upright if the block has none or is damaged."""
    place = _orientation_place(block or b"")
    if place is None or block is None:
        return UPRIGHT
    order, at = place
    return ORIENTATIONS.get(struct.unpack_from(f"{order}H", block, at)[0], UPRIGHT)


def made_upright(block: bytes | None) -> bytes | None:
    """The block with orientation 1, for a picture that was rotated upright; otherwise unchanged."""
    place = _orientation_place(block or b"")
    if place is None or block is None:
        return block
    order, at = place
    return block[:at] + struct.pack(f"{order}H", 1) + block[at + 2 :]


def xmp_made_upright(xmp: bytes | None) -> bytes | None:
    """As `made_upright`, for an XMP packet, which repeats the tag."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if xmp else xmp


def enlarged(block: bytes, factor: int) -> bytes:
    """The block for a picture `factor` times as wide and high: the size that it states grows."""
    result = bytearray(block)
    start, order = _start(block)
    places = [place for place in _entries(block) if place[0] != _ORIENTATION]
    for tag, _, at in list(places):
        if tag == _EXIF_DIRECTORY:
            places += _entries(block, start + struct.unpack_from(f"{order}I", block, at)[0])
    for tag, kind, at in places:
        form = {_SHORT: f"{order}H", _LONG: f"{order}I"}.get(kind)
        if tag not in _SIZE_TAGS or form is None:
            continue
        size = struct.unpack_from(form, block, at)[0] * factor
        if size < 1 << (8 * struct.calcsize(form)):
            struct.pack_into(form, result, at, size)
    return bytes(result)


def _orientation_place(block: bytes) -> tuple[str, int] | None:
    """Byte order in `struct`'s notation, and position of the tag's value in the block."""
    order = _start(block)[1]
    found = (at for tag, kind, at in _entries(block) if (tag, kind) == (_ORIENTATION, _SHORT))
    at = next(found, None)
    return None if at is None else (order, at)


def _start(block: bytes) -> tuple[int, str]:
    """Where TIFF's form begins, and the byte order in `struct`'s notation; empty where it is none."""
    start = len(_HEAD) if block.startswith(_HEAD) else 0
    return start, {b"II": "<", b"MM": ">"}.get(block[start : start + 2], "")


def _entries(block: bytes, at: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Tag, type and position of the value of each entry of the directory at `at`; None: of the first one."""
    start, order = _start(block)
    if not order or len(block) < start + 8:
        return
    if at is None:
        at = start + struct.unpack_from(f"{order}I", block, start + 4)[0]
    if at + 2 > len(block):
        return
    (count,) = struct.unpack_from(f"{order}H", block, at)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(block) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", block, entry)
        yield tag, kind, entry + 8
