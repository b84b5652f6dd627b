"""What an animation holds besides its frames, which FFmpeg does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import ReadError
from vidrestore.video.formats.gif_file import read_structure
from vidrestore.video.photos import png
from vidrestore.video.reading.input import Input

FOR_EVER = 0
_HEAD_BYTES = 12
_START_BYTES = 1 << 16
"""Enough for what stands before the first picture of an animation."""
_OF_WEBP = {b"EXIF": "notes", b"XMP ": "notes", b"ICCP": "ICC in pictures"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Animation:
    """What an animation holds besides its frames."""

    plays: int | None = None
    """How many times it is shown, or `FOR_EVER`; None: it is no animation."""
    pieces: frozenset[str] = frozenset()
    """Keys of further pieces in `PIECES`."""


def read_animation(input: Input) -> Animation:
    """What a GIF, APNG or animated WebP holds.

    Raises:
        ReadError: The system cannot read the file.
    """
    if input.pipe is not None or input.pictures is not None or not input.path.is_file():
        return Animation()
    try:
        head = input.head
        if head is None:
            with input.path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
        if head.startswith((b"GIF8", png.SIGNATURE)) or _is_webp(head):
            return _read(input.path.read_bytes())
    except OSError as error:
        raise ReadError.of(input.path, error) from error
    return Animation()


def is_animation(path: Path) -> bool:
    """Whether a PNG or WebP holds several pictures, by the start of the file; False if it cannot be read."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError:
        return False
    return any(name == b"ANIM" for name, _ in _webp_chunks(start)) or png.picture_count(start) > 1


def _read(file: bytes) -> Animation:
    if file.startswith(b"GIF8"):
        structure = read_structure(file)
        return Animation(plays=structure.plays, pieces=structure.pieces)
    if file.startswith(png.SIGNATURE):
        plays = png.plays(file)
        return Animation() if plays is None else Animation(plays=plays, pieces=png.pieces_of_animation(file))
    chunks = dict(_webp_chunks(file))
    if b"ANIM" not in chunks:
        return Animation()
    plays = int.from_bytes(file[chunks[b"ANIM"] + 4 : chunks[b"ANIM"] + 6], "little")
    return Animation(plays=plays, pieces=frozenset(_OF_WEBP[name] for name in chunks if name in _OF_WEBP))


def _is_webp(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _webp_chunks(file: bytes) -> Iterator[tuple[bytes, int]]:
    """Name of each chunk of a WebP file, and the position of its content."""
    at = _HEAD_BYTES
    while _is_webp(file) and at + 8 <= len(file):
        yield file[at : at + 4], at + 8
        size = int.from_bytes(file[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
