"""The kind and metadata of a photo, read without decoding it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from vidrestore.errors import InputError, ReadError
from vidrestore.types import Orientation
from vidrestore.video.photos import exif, jpeg, png, tiff
from vidrestore.video.photos.jpeg import JpegCoding
from vidrestore.video.photos.pillow_errors import PILLOW_ERRORS, damaged_photo

_KINDS = {
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "PNG": "png",
    "TIFF": "tiff",
    "WEBP": "webp",
    "HEIF": "heif",
    "AVIF": "avif",
}
"""The kinds of photos by Pillow's names of formats."""
_LIMIT = threading.Lock()
_ANIMATED = {"png", "webp", "avif"}
_REFUSED_MODES = {"CMYK": "CMYK, for printing", "LAB": "Lab", "F": "floating point", "I": "32-bit"}
_WEBP_PIECES = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"EXIF", b"XMP ", b"ANIM", b"ANMF"}
_BOXES = {b"ftyp", b"meta", b"mdat", b"idat", b"free", b"skip", b"wide"}
_MOTION = {
    b"mpvd": "the video of a motion photo",
    b"moov": "a sequence of pictures",
    b"moof": "a sequence of pictures",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo and its metadata."""

    path: Path
    kind: str
    """jpeg, png, tiff, webp, heif or avif, by its content."""
    size: tuple[int, int]
    """Width and height, as stored."""
    mode: str
    """Pillow's name of its sample format."""
    frames: int
    """Number of pictures; more than one for an animation."""
    exif: bytes | None
    """The EXIF block in TIFF's form."""
    xmp: bytes | None
    icc: bytes | None
    dpi: tuple[float, float] | None
    orientation: Orientation
    coding: JpegCoding | None
    lossless: bool
    grey_with_alpha: bool
    palette_with_alpha: bool
    left_out: tuple[str, ...]
    """Names of contents that no picture written by this program can hold."""
    elsewhere: tuple[str, ...]
    """Names of contents that only a file of the same kind can hold."""


def open_photo(path: Path) -> Photo | None:
    """The photo in a file; None if it is not one of these kinds.

    Raises:
        InputError: Its sample format is not supported.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReadError.of(path, error) from error
    if png.is_bomb(data):
        raise InputError(f"{path} holds a profile or texts of more than 64 MB unpacked; export it again")
    with _opened(path) as picture:
        kind = _KINDS.get(picture.format or "") if picture is not None else None
        if picture is None or kind is None:
            return None
        if picture.mode in _REFUSED_MODES:
            what = _REFUSED_MODES[picture.mode]
            raise InputError(f"the colours of {path} are {what}; convert it to RGB first")
        block = (
            tiff.exif_block(data) if kind == "tiff" else exif.plain_block(_bytes(picture.info.get("exif")))
        )
        left_out, elsewhere = _unkept(path, picture, kind, data)
        return Photo(
            path=path,
            kind=kind,
            size=picture.size,
            mode=picture.mode,
            frames=getattr(picture, "n_frames", 1) if kind in _ANIMATED else 1,
            exif=block,
            xmp=_bytes(picture.info.get("xmp")),
            icc=_bytes(picture.info.get("icc_profile")),
            dpi=_resolution(picture),
            orientation=exif.orientation_of(block),
            coding=jpeg.coding_of(picture) if kind == "jpeg" else None,
            lossless=kind in ("png", "tiff") or (kind == "webp" and b"VP8L" in _webp_chunks(data)),
            grey_with_alpha=(picture.mode in ("LA", "La", "L", "1") and picture.has_transparency_data)
            or (kind == "png" and data[25:26] == b"\4"),
            palette_with_alpha=picture.mode in ("P", "PA") and picture.has_transparency_data,
            left_out=left_out,
            elsewhere=elsewhere,
        )


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The picture, opened by Pillow.

    Raises:
        InputError: It is not a picture, or Pillow cannot decode it in the block.
    """
    with _opened(path) as picture:
        if picture is None:
            raise InputError(f"{path} is not a picture in a known format; check that a viewer opens it")
        try:
            yield picture
        except PILLOW_ERRORS as error:
            raise damaged_photo(path, error) from error


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about damaged metadata, which is left out
        try:
            picture = _open_any_size(path)
        except PILLOW_ERRORS:
            picture = None
        if picture is None:
            yield None
            return
        with picture:
            yield picture


def _open_any_size(path: Path) -> Image.Image:
    """Opens a picture without Pillow's size limit, which is global: `Input.max_pixels` is the limit here."""
    with _LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return _open_heif(path) or Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _open_heif(path: Path) -> Image.Image | None:
    """The picture, if it is HEIF. pillow_heif is not registered with Pillow, as that would be for good."""
    from pillow_heif import HeifImageFile, get_file_mimetype, options

    if not get_file_mimetype(path).startswith("image/hei"):  # it reads AVIF as well, which is Pillow's
        return None
    thumbnails, options.THUMBNAILS = options.THUMBNAILS, False
    try:
        return HeifImageFile(path)  # type: ignore[no-untyped-call]
    except SyntaxError:  # another format with the same first bytes
        return None
    finally:
        options.THUMBNAILS = thumbnails


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, str):
        value = value.encode()
    return bytes(value) if value else None


def _resolution(picture: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch, if they are stated and not only a ratio."""
    dpi = picture.info.get("dpi")
    try:
        across, down = (float(value) for value in dpi or ())
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if across > 1 and down > 1 else None


def _unkept(
    path: Path, picture: Image.Image, kind: str, data: bytes
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of contents that every output loses, and of those that other kinds of files lose."""
    left_out: list[str] = []
    elsewhere: list[str] = []
    if kind == "jpeg":
        left_out = jpeg.kept_segments(data)[1]
        elsewhere = jpeg.lost_in_other_kinds(data)
    elif kind == "png":
        left_out, elsewhere = png.kept_chunks(data)[1], png.lost_in_other_kinds(data)
    elif kind == "tiff":
        left_out = _further_pages(path)
        found = tiff.kept_tags(data)[1]
        elsewhere = ["IPTC and Photoshop notes"] if {tiff.IPTC, tiff.PHOTOSHOP} & set(found) else []
    elif kind == "webp":
        names = dict.fromkeys(_webp_chunks(data))
        left_out = [
            f"WebP chunk {n.decode('ascii', 'replace').strip()}" for n in names if n not in _WEBP_PIECES
        ]
        if data[8 + int.from_bytes(data[4:8], "little") :].strip(b"\0"):
            left_out.append(jpeg.REST)
    elif kind in ("heif", "avif"):
        left_out = [*(_heif_extras(picture) if kind == "heif" else []), *_further_boxes(data)]
    return tuple(left_out), tuple(elsewhere)


def _further_pages(path: Path) -> list[str]:
    """The pages after the first one, in words. They are counted in a picture of its own, as that moves it."""
    try:
        with opened(path) as picture:
            pages = getattr(picture, "n_frames", 1) - 1
    except InputError:
        return ["further pages, which are damaged"]
    return [f"{pages} further pages" if pages > 1 else "1 further page"] if pages else []


def _webp_chunks(data: bytes) -> list[bytes]:
    """Names of the chunks of a WebP file."""
    names, at, data = [], 12, data[: 8 + int.from_bytes(data[4:8], "little")]
    while at + 8 <= len(data):
        names.append(data[at : at + 4])
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return names


def _further_boxes(data: bytes) -> list[str]:
    """Names of what a HEIC or AVIF file holds beside its pictures: videos of motion photos, bursts."""
    names, at = [], 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if name not in _BOXES:
            names.append(_MOTION.get(name) or f"box {name.decode('ascii', 'replace')}")
        if size < 8:  # 0: until the end of the file
            break
        at += size
    return list(dict.fromkeys(names))


def _heif_extras(picture: Image.Image) -> list[str]:
    info = picture.info
    names = []
    if getattr(picture, "n_frames", 1) > 1:
        names.append("further pictures in it")
    if info.get("depth_images"):
        names.append("depth map")
    if info.get("aux"):
        names.append("auxiliary pictures (such as an HDR gain map)")
    return names
