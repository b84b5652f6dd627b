"""Reads how many times an animation is shown, which FFmpeg does not report."""

from __future__ import annotations

from vidrestore.errors import ReadError
from vidrestore.video.formats.gif_file import read_structure
from vidrestore.video.photos import png
from vidrestore.video.reading.input import Input

FOR_EVER = 0
"""The number that stands for endless repetition."""
_HEAD_BYTES = 12


def read_plays(input: Input) -> int | None:
    """The number of times that a GIF, APNG or animated WebP is shown, `FOR_EVER`, or None for other inputs.

    Raises:
        ReadError: The system cannot read the file.
    """
    if input.pipe is not None or input.pictures is not None or not input.path.is_file():
        return None
    try:
        head = input.head
        if head is None:
            with input.path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
        head = head[:_HEAD_BYTES]
        if head.startswith(b"GIF8"):
            return read_structure(input.path.read_bytes()).plays
        if head.startswith(png.SIGNATURE):
            return png.plays(input.path.read_bytes())
        if head.startswith(b"RIFF") and head.endswith(b"WEBP"):
            return _plays_of_webp(input.path.read_bytes())
    except OSError as error:
        raise ReadError.of(input.path, error) from error
    return None


def _plays_of_webp(file: bytes) -> int | None:
    at = _HEAD_BYTES
    while at + 14 <= len(file):
        if file[at : at + 4] == b"ANIM":
            return int.from_bytes(file[at + 12 : at + 14], "little")
        size = int.from_bytes(file[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return None
