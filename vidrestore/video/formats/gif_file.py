"""The structure of GIF files: what FFmpeg does not say of them."""

from __future__ import annotations

from dataclasses import dataclass

_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_APPLICATION = 0xFF
_LOOP = b"NETSCAPE2.0"
_PIECES = {b"XMP DataXMP": "notes", b"ICCRGBG1012": "ICC in pictures"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GifStructure:
    """What the blocks of a GIF file say."""

    is_cut_short: bool
    """Whether the file ends within a block."""
    plays: int
    """How many times it is shown; 0: for ever."""
    pieces: frozenset[str] = frozenset()
    """Keys of further pieces in `PIECES`; FFmpeg tells a comment."""


def read_structure(file: bytes) -> GifStructure:
    """The structure of a GIF file, without decoding its pictures."""
    at, plays, pieces = 13 + _table_bytes(file, 10), 1, set()
    while at < len(file) and file[at] in (_EXTENSION, _PICTURE):
        if file[at] == _PICTURE:
            start = at + 11 + _table_bytes(file, at + 9)  # the blocks of samples, after the code size
        else:
            start = at + 2
            name = file[at + 3 : at + 14] if file[at + 1 : at + 2] == bytes([_APPLICATION]) else b""
            if name == _LOOP:
                count = int.from_bytes(file[at + 16 : at + 18], "little")
                plays = count + 1 if count else 0
            if name in _PIECES:
                pieces.add(_PIECES[name])
        end = _end_of_blocks(file, start)
        if end is None:
            return GifStructure(is_cut_short=True, plays=plays, pieces=frozenset(pieces))
        at = end
    return GifStructure(is_cut_short=False, plays=plays, pieces=frozenset(pieces))


def _table_bytes(file: bytes, flags_at: int) -> int:
    """Bytes of the colour table that the flags at a position announce."""
    flags = file[flags_at] if flags_at < len(file) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_blocks(file: bytes, at: int) -> int | None:
    """The position after a chain of blocks; None: the file ends before it."""
    while at < len(file):
        if file[at] == 0:
            return at + 1
        at += file[at] + 1
    return None
