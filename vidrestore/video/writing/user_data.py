"""Inserts ATSC user data into coded pictures: captions, and the active format description.

A/53 part 4 defines both for MPEG-2, H.264 and H.265. AV1 has the same captions in a metadata OBU.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FAMILIES = {
    "libx264": "h264",
    "libx264rgb": "h264",
    "h264_nvenc": "h264",
    "libx265": "hevc",
    "hevc_nvenc": "hevc",
    "mpeg2video": "mpeg2",
    "libsvtav1": "av1",
    "av1_nvenc": "av1",
}
CAPTION_ENCODERS = frozenset(_FAMILIES)
"""Encoders for whose pictures captions can be inserted."""
ACTIVE_FORMAT_ENCODERS = frozenset(name for name, family in _FAMILIES.items() if family != "av1")
"""Encoders for whose pictures the active format description can be inserted."""
_MOST_TRIPLETS = 31
_START = b"\0\0\1"
_COUNTRY, _PROVIDER = b"\xb5", b"\x00\x31"
_SEI_USER_DATA = 4
_MPEG2_USER_DATA = b"\xb2"
_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_OBU_FRAME_HEADER, _OBU_METADATA, _OBU_FRAME = 3, 5, 6
_METADATA_T35 = 4


def with_user_data(
    picture: bytes, encoder: str, captions: bytes = b"", active_format: int | None = None
) -> bytes:
    """The coded picture with user data before its first slice; unchanged where it has none.

    Args:
        picture: H.264, H.265 and MPEG-2 with start codes, or a temporal unit of AV1.
        encoder: Its encoder, one of those above.
        captions: Triplets of A/53's `cc_data`.
        active_format: The code, from 0 to 15.
    """
    family = _FAMILIES[encoder]
    messages = []
    if active_format is not None and encoder in ACTIVE_FORMAT_ENCODERS:
        messages.append(b"DTG1" + bytes([0x41, 0xF0 | active_format]))
    if captions:
        triplets = captions[: 3 * _MOST_TRIPLETS]
        messages.append(b"GA94\x03" + bytes([0x40 | len(triplets) // 3, 0xFF]) + triplets + b"\xff")
    at = _shown_frame(picture) if family == "av1" else _first_slice(picture, family)
    if at is None:
        return picture
    return picture[:at] + b"".join(_unit(family, message) for message in messages) + picture[at:]


def _unit(family: str, message: bytes) -> bytes:
    """User data with its start code or OBU header."""
    if family == "mpeg2":
        return _START + _MPEG2_USER_DATA + message
    registered = _COUNTRY + _PROVIDER + message
    if family == "av1":
        content = bytes([_METADATA_T35]) + registered + b"\x80"
        return bytes([_OBU_METADATA << 3 | 2, len(content)]) + content
    sei = bytes([_SEI_USER_DATA, len(registered)]) + registered + b"\x80"
    head = b"\x06" if family == "h264" else bytes([39 << 1, 1])
    return _START + head + _ESCAPE.sub(b"\0\0\3", sei)


def _first_slice(picture: bytes, family: str) -> int | None:
    """Position of the start code of the first unit with samples."""
    for match in re.finditer(re.escape(_START), picture):
        if match.end() >= len(picture):
            return None
        kind = picture[match.end()]
        if (
            (family == "h264" and kind & 0x1F in (1, 5))
            or (family == "hevc" and kind >> 1 & 0x3F < 32)
            or (family == "mpeg2" and 0x01 <= kind <= 0xAF)
        ):
            start = match.start()
            return start - 1 if start and picture[start - 1] == 0 and family != "mpeg2" else start
    return None


def _shown_frame(unit: bytes) -> int | None:
    """Position of the header of the last frame in a temporal unit: frames before it are not shown."""
    starts = [at for at, kind in _open_bitstream_units(unit) if kind in (_OBU_FRAME_HEADER, _OBU_FRAME)]
    return starts[-1] if starts else None


def _open_bitstream_units(unit: bytes) -> Iterator[tuple[int, int]]:
    """Position and type of each OBU, all with their sizes, as encoders write them."""
    at = 0
    while at < len(unit):
        head = unit[at]
        if not head & 2:
            return
        start, at = at, at + (2 if head & 4 else 1)
        size = shift = 0
        while at < len(unit):
            byte, at = unit[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield start, head >> 3 & 15
        at += size
