"""JPEG files: their segments, and their coding, which is reused so that a second one loses almost nothing."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidrestore.video.photos.exif import enlarged
from vidrestore.video.photos.pillow_errors import PILLOW_ERRORS

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
"""A marker other than those within coded samples."""
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE
_EXIF, _XMP, _MORE_XMP, _ICC, _PICTURES = (
    b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0", b"ICC_PROFILE\0",
    b"MPF\0",
)  # fmt: skip
_SAMPLINGS = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0"}
"""Luma samples per chroma sample, across and down, that Pillow can write. 4:4:4 can hold any other."""
DEFAULT_QUALITY = 95
REST = "data after the picture (such as the video of a motion photo)"
Samples = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegCoding:
    """The coding of a JPEG file."""

    tables: tuple[tuple[int, ...], ...]
    """Quantisation table of each component."""
    sampling: tuple[int, int]
    """Luma samples per chroma sample, horizontally and vertically."""
    progressive: bool


def coding_of(picture: Image.Image) -> JpegCoding | None:
    """The coding of a JPEG that Pillow has opened; None if it cannot be determined."""
    layers = getattr(picture, "layer", None)
    tables = getattr(picture, "quantization", None)
    if not layers or not tables:
        return None
    try:
        chosen = tuple(tuple(min(value, 255) for value in tables[layer[3]]) for layer in layers)
    except (KeyError, IndexError):
        return None
    across, down = layers[0][1:3]
    sampling = (1, 1)
    if len(layers) == 3 and all(layer[1:3] == (1, 1) for layer in layers[1:]):
        sampling = (across, down)
    return JpegCoding(tables=chosen, sampling=sampling, progressive="progressive" in picture.info)


def encode(
    channels: tuple[Samples, ...],
    mode: str,
    *,
    coding: JpegCoding | None,
    quality: int | None,
    sampling: tuple[int, int],
) -> bytes:
    """Encodes a JPEG file without metadata.

    Args:
        channels: Planes of full size in the colours of `mode`, or YCbCr with chroma subsampled by `sampling`,
            which is coded unchanged.
        mode: L, RGB or YCbCr.
        coding: The coding to reuse; None, or ignored with a `quality`.
        quality: libjpeg's quality, 1 to 100; None: as `coding`, else almost lossless.
        sampling: Luma samples per chroma sample in the file, horizontally and vertically, without `coding`.
    """
    height, width = channels[0].shape
    whole = [_enlarged(channel, width, height) for channel in channels]
    picture = Image.fromarray(whole[0]) if mode == "L" else _merged(mode, whole)
    if coding is not None and len(coding.tables) != len(channels):
        coding = None  # a grey picture became coloured, or the other way round
    options: dict[str, object] = {"optimize": True}
    if mode != "L":
        options["subsampling"] = _SAMPLINGS.get(coding.sampling if coding else sampling, "4:4:4")
    if mode == "RGB" and coding is not None and coding.sampling == (1, 1):
        options["keep_rgb"] = True
    if coding is not None:
        options["progressive"] = coding.progressive
    if coding is not None and quality is None:
        tables = coding.tables[:2] if len(set(coding.tables[1:])) == 1 else coding.tables
        options["qtables"] = [list(table) for table in tables]
    else:
        options["quality"] = DEFAULT_QUALITY if quality is None else quality
    file = io.BytesIO()
    picture.save(file, "JPEG", **options)
    return file.getvalue()


def kept_segments(file: bytes) -> tuple[list[bytes], list[str]]:
    """The file's metadata: segments that stay valid for the re-encoded picture, and names of all others."""
    kept, dropped = [], []
    for code, segment in _segments(file):
        body = segment[4:]
        if code == _APP2 and body.startswith(_PICTURES):
            dropped.append("further pictures (a gain map or another view)")
        elif code == _APP11:
            dropped.append("content credentials")
        elif code == _COMMENT or (_APP0 <= code <= 0xEF and code != _APP14):
            kept.append(segment)
    end = end_of(file)
    if (
        end is not None
        and file[end:].strip(b"\0")
        and not any("further pictures" in name for name in dropped)
    ):
        dropped.append(REST)
    return kept, list(dict.fromkeys(dropped))


def with_enlarged_exif(segments: list[bytes], factor: int) -> list[bytes]:
    """The segments, with EXIF for a picture with `factor` times as many columns and lines."""
    return [
        segment[:4] + enlarged(segment[4:], factor) if segment[4:].startswith(_EXIF) else segment
        for segment in segments
    ]


def end_of(file: bytes) -> int | None:
    """The position after the first picture; None: the file ends before it does."""
    at = 0
    while (marker := _MARKER.search(file, at)) is not None:
        at, code = marker.end(), marker[1][0]
        if code == _END:
            return at
        if code != _START:
            at += int.from_bytes(file[at : at + 2], "big")
    return None


def is_cut_short(file: bytes) -> bool:
    """Whether it is a JPEG that ends before its picture does: FFmpeg draws the rest without a message."""
    if not file.startswith(bytes([0xFF, _START])) or end_of(file) is not None:
        return False
    try:
        with Image.open(io.BytesIO(file)) as picture:
            picture.load()
    except PILLOW_ERRORS:
        return True
    return False


def is_motion_jpeg(file: bytes) -> bool:
    """Whether another picture follows the first one at once, as in a raw stream of JPEGs."""
    end = end_of(file)
    if end is None or not file.startswith(bytes([0xFF, _START, 0xFF]), end):
        return False
    return not any(code == _APP2 and segment[4:].startswith(_PICTURES) for code, segment in _segments(file))


def lost_in_other_kinds(file: bytes) -> list[str]:
    """Names of contents of the segments that no other kind of picture can hold."""
    kept, _ = kept_segments(file)
    named = {
        "a comment": any(segment[1] == _COMMENT for segment in kept),
        "IPTC and Photoshop notes": any(segment[1] == _APP13 for segment in kept),
        "extended XMP": any(segment[4:].startswith(_MORE_XMP) for segment in kept),
    }
    return [name for name, there in named.items() if there]


def with_segments(file: bytes, segments: list[bytes]) -> bytes:
    """The file with `segments` in place of its own, except those needed for decoding."""
    own = [segment for code, segment in _segments(file) if code == _APP14]
    at = 2
    for code, segment in _segments(file):
        if not (_APP0 <= code <= 0xEF or code == _COMMENT):
            break
        at += len(segment)
    return file[:2] + b"".join(segments) + b"".join(own) + file[at:]


def new_segments(
    exif: bytes | None, xmp: bytes | None, icc: bytes | None, dpi: tuple[float, float] | None
) -> tuple[list[bytes], list[str]]:
    """Segments for metadata from another kind of file, and the names of those too large for a segment.

    Args:
        exif: An EXIF block in TIFF's form.
        xmp: An XMP packet.
        icc: A colour profile.
        dpi: Pixels per inch, horizontally and vertically.
    """
    segments, dropped = [], []
    if not exif:
        across, down = (min(max(round(value), 1), 65535) for value in dpi or (1, 1))
        unit = 1 if dpi else 0
        segments.append(_segment(_APP0, b"JFIF\0" + struct.pack(">2B", 1, 1) + struct.pack(
            ">BHHBB", unit, across, down, 0, 0
        )))  # fmt: skip
    for name, head, block in (("EXIF", _EXIF, exif), ("XMP", _XMP, xmp)):
        if block and len(head) + len(block) > _MOST:
            dropped.append(f"{name} (larger than a JPEG segment)")
        elif block:
            segments.append(_segment(_APP1, head + block))
    pieces = [icc[at : at + _MOST - 14] for at in range(0, len(icc), _MOST - 14)] if icc else []
    if len(pieces) > 255:
        dropped.append("ICC profile (larger than JPEG's segments)")
        pieces = []
    for number, piece in enumerate(pieces, start=1):
        segments.append(_segment(_APP2, _ICC + bytes([number, len(pieces)]) + piece))
    return segments, dropped


_MOST = 65533


def _segment(code: int, body: bytes) -> bytes:
    return bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body


def _segments(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Code and bytes of each segment before the first scan; ends at damage."""
    if file[:2] != bytes([0xFF, _START]):
        return
    at = 2
    while at + 4 <= len(file) and file[at] == 0xFF:
        code = file[at + 1]
        if code == 0xFF:  # a fill byte
            at += 1
            continue
        if code == _SCAN:
            return
        (size,) = struct.unpack_from(">H", file, at + 2)
        if size < 2 or at + 2 + size > len(file):
            return
        yield code, file[at : at + 2 + size]
        at += 2 + size


def _enlarged(channel: Samples, width: int, height: int) -> Samples:
    """The plane at full size with repeated samples: libjpeg's averaging restores exactly the same samples."""
    if channel.shape == (height, width):
        return channel
    down, across = -(-height // channel.shape[0]), -(-width // channel.shape[1])
    return channel.repeat(down, axis=0).repeat(across, axis=1)[:height, :width]


def _merged(mode: str, channels: list[Samples]) -> Image.Image:
    return Image.merge(mode, [Image.fromarray(np.ascontiguousarray(channel)) for channel in channels])
