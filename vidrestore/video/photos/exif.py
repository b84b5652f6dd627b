"""EXIF blocks: reads the orientation and changes it in place, so that all other bytes stay the same."""

from __future__ import annotations

import re
import struct

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
_ORIENTATION, _SHORT = 0x0112, 3
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


def _orientation_place(block: bytes) -> tuple[str, int] | None:
    """Byte order in `struct`'s notation, and position of the tag's value in the block."""
    start = len(_HEAD) if block.startswith(_HEAD) else 0
    order = {b"II": "<", b"MM": ">"}.get(block[start : start + 2])
    if order is None or len(block) < start + 8:
        return None
    (first,) = struct.unpack_from(f"{order}I", block, start + 4)
    at = start + first
    if at + 2 > len(block):
        return None
    (count,) = struct.unpack_from(f"{order}H", block, at)
    for entry in range(at + 2, min(at + 2 + 12 * count, len(block) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", block, entry)
        if (tag, kind) == (_ORIENTATION, _SHORT):
            return order, entry + 8
    return None
