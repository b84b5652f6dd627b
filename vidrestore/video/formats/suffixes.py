"""File suffixes of pictures, photos and videos."""

from __future__ import annotations

from pathlib import Path

PHOTO_KINDS = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".jpe": "jpeg",
    ".jfif": "jpeg",
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
    ".heic": "heif",
    ".heif": "heif",
    ".avif": "avif",
}
"""Kinds of pictures that hold metadata: EXIF, colour profiles and so on."""
PICTURES = frozenset(PHOTO_KINDS) | {".bmp", ".dpx", ".exr", ".jp2", ".tga", ".ppm", ".pgm"}
VIDEOS = frozenset([
    ".3gp", ".apng", ".asf", ".avi", ".dv", ".f4v", ".flv", ".gif", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov",
    ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
])  # fmt: skip


def photo_kind(path: Path) -> str | None:
    """jpeg, png, tiff, webp, heif or avif, by the suffix; None: not a photo."""
    return PHOTO_KINDS.get(path.suffix.lower())
