"""Recognises photos by their first bytes, whatever their names are."""

from __future__ import annotations

from pathlib import Path

from vidrestore.video.formats.suffixes import photo_kind
from vidrestore.video.photos import jpeg

_HEAD_BYTES = 16
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_MOVING = {".apng", ".mjpeg", ".mjpg"}
"""Suffixes of videos whose content starts like a photo."""


def is_photo(path: Path, head: bytes | None = None) -> bool:
    """Whether the file is a photo, by its suffix or by its content; `head` as for `kind_by_content`."""
    return photo_kind(path) is not None or kind_by_content(path, head) is not None


def kind_by_content(path: Path, head: bytes | None = None) -> str | None:
    """jpeg, png, webp, heif or avif, by the content; None: not a photo, or a photo of another kind.

    Args:
        path: The file.
        head: Its first bytes; None: they are read.
    """
    if path.suffix.lower() in _MOVING or not path.is_file():
        return None
    try:
        if head is None:
            with path.open("rb") as file:
                head = file.read(_HEAD_BYTES)
        kind = _kind(head)
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
