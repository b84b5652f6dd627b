"""Reads and writes Matroska's elements, in headers written by FFmpeg and for FFmpeg."""

from __future__ import annotations

from collections.abc import Iterator

EBML, SEGMENT, CLUSTER, TRACKS, TRACK, VIDEO = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE, 0xE0


def children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Id and content of each element; ends at truncated data."""
    at = 0
    while at < len(data):
        id_, at = _number(data, at, keep_marker=True)
        size, at = _number(data, at, keep_marker=False)
        if id_ is None or size is None:
            return
        size = min(size, len(data) - at)  # elements that are still being written have no size
        yield id_, data[at : at + size]
        at += size


def find(data: bytes, *path: int) -> bytes | None:
    """The content of the first element at `path`."""
    for wanted in path:
        inside = next((content for id_, content in children(data) if id_ == wanted), None)
        if inside is None:
            return None
        data = inside
    return data


def element(id_: int, content: bytes | int | str) -> bytes:
    """The bytes of an element; a number is written as an unsigned integer."""
    if isinstance(content, int):
        content = content.to_bytes(max((content.bit_length() + 7) // 8, 1), "big")
    elif isinstance(content, str):
        content = content.encode("ascii")
    name = id_.to_bytes((id_.bit_length() + 7) // 8, "big")
    return name + (len(content) | 1 << 56).to_bytes(8, "big") + content


def _number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int | None, int]:
    """A number whose first byte gives its length, and the position after it."""
    if at >= len(data) or data[at] == 0:
        return None, at
    length = 9 - data[at].bit_length()
    if at + length > len(data):
        return None, at
    value = int.from_bytes(data[at : at + length], "big")
    return value if keep_marker else value & ((1 << 7 * length) - 1), at + length
