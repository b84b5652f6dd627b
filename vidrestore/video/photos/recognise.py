"""Recognises photos by their first bytes, whatever their names are."""

from __future__ import annotations

from pathlib import Path

from vidrestore.video.formats.suffixes import photo_kind
from vidrestore.video.photos import jpeg

_HEAD_BYTES = 16
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_MOVING = {".apng", ".mjpeg", ".mjpg"}
"""Suffixes of videos whose content begins as a photo does."""


def is_photo(path: Path) -> bool:
    """Whether the suffix or, of a file with another one, the content is a photo's."""
    return photo_kind(path) is not None or kind_by_content(path) is not None


def kind_by_content(path: Path) -> str | None:
    """jpeg, png, webp, heif or avif, by the content; None: no photo, or one of another kind."""
    if path.suffix.lower() in _MOVING or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            kind = _kind(file.read(_HEAD_BYTES))
        return None if kind == "jpeg" and jpeg.is_motion_jpeg(path.read_bytes()) else kind
    except OSError:
        return None  # opening it will report the error


def _kind(head: bytes) -> str | None:
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return "heif" if head[8:12] in _HEIF_BRANDS else "avif" if head[8:12] in _AVIF_BRANDS else None
    return None
