"""Inserts captions into coded pictures: A/53's `cc_data` in the user data of H.264, H.265 and MPEG-2."""

from __future__ import annotations

import re

_FAMILIES = {
    "libx264": "h264",
    "libx264rgb": "h264",
    "h264_nvenc": "h264",
    "libx265": "hevc",
    "hevc_nvenc": "hevc",
    "mpeg2video": "mpeg2",
}
ENCODERS = frozenset(_FAMILIES)
"""Encoders for whose pictures captions can be inserted."""
_MOST_TRIPLETS = 31
_START = b"\0\0\1"
_COUNTRY_AND_PROVIDER = b"\xb5\x00\x31"
_SEI_USER_DATA = 4
_USER_DATA = b"\xb2"
_ESCAPE = re.compile(rb"\x00\x00(?=[\x00-\x03])")


def with_captions(picture: bytes, encoder: str, captions: bytes) -> bytes:
    """The coded picture, in units after start codes, with the captions (triplets) before its first slice.

    Args:
        picture: The coded picture.
        encoder: Name of its encoder.
        captions: The triplets of A/53's `cc_data`.
    """
    family = _FAMILIES[encoder]
    at = _first_slice(picture, family)
    if at is None:
        return picture
    return picture[:at] + _unit(family, captions[: 3 * _MOST_TRIPLETS]) + picture[at:]


def _unit(family: str, captions: bytes) -> bytes:
    """User data with its start code, by A/53 part 4."""
    count = len(captions) // 3
    data = b"GA94\x03" + bytes([0x40 | count, 0xFF]) + captions + b"\xff"
    if family == "mpeg2":
        return _START + _USER_DATA + data
    payload = _COUNTRY_AND_PROVIDER + data
    message = bytes([_SEI_USER_DATA, len(payload)]) + payload + b"\x80"
    head = b"\x06" if family == "h264" else bytes([39 << 1, 1])
    return _START + head + _ESCAPE.sub(b"\0\0\3", message)


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
