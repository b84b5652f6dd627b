"""PNG files: chunks that stay valid for a changed picture, and samples with 16 bits."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vidrestore.video.photos.exif import enlarged
from vidrestore.video.photos.jpeg import REST

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"}
_OF_THE_CODING = {b"sBIT", b"hIST", b"bKGD", b"iDOT", b"acTL", b"fcTL", b"fdAT"}
"""Chunks about how samples are stored: the encoder writes them again, or they are not needed."""
_SIGNED = {b"caBX", b"dSIG"}
_KNOWN = {
    b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"pHYs", b"tIME", b"sPLT", b"eXIf",
    b"tEXt", b"zTXt", b"iTXt", b"oFFs", b"pCAL", b"sCAL", b"gIFg", b"gIFx", b"sTER",
}  # fmt: skip
_INCH = 0.0254
_MOST_UNPACKED = 1 << 26
"""Bytes: 64 MB."""
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_DEEP = {1: "gray16be", 2: "ya16be", 3: "rgb48be", 4: "rgba64be"}


def encode(samples: NDArray[Any]) -> bytes:
    """Encodes samples (H, W, C) with 8 or 16 bits as PNG: grey, grey and alpha, RGB or RGBA."""
    channels = samples.shape[2]
    if samples.dtype == np.uint8:
        file = io.BytesIO()
        Image.fromarray(samples[..., 0] if channels == 1 else samples, _MODES[channels]).save(file, "PNG")
        return file.getvalue()
    # Pillow supports 16 bits for grey pictures only.
    height, width = samples.shape[:2]
    encoder = av.CodecContext.create("png", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, _DEEP[channels]
    encoder.framerate = encoder.time_base = Fraction(1)
    encoder.options = {"pred": "mixed"}
    picture = av.VideoFrame(width, height, _DEEP[channels])
    buffer: Any = picture.planes[0]  # a buffer, contrary to its type stub
    lines = np.frombuffer(buffer, ">u2").reshape(height, -1)
    lines[:, : width * channels] = samples.reshape(height, -1)
    picture.pts = 0
    encoded = b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
    return with_chunks(encoded, [])


def kept_chunks(file: bytes) -> tuple[list[bytes], list[str]]:
    """The metadata chunks that stay valid, unchanged, and the names of those that do not."""
    kept, dropped = [], []
    for kind, chunk in _chunks(file):
        if kind in _PICTURE or kind in _OF_THE_CODING:
            continue
        if kind in _SIGNED:
            dropped.append("content credentials")
        elif kind in _KNOWN or kind[3] & 0x20:  # a small last letter: safe to copy
            kept.append(chunk)
        else:
            dropped.append(f"PNG chunk {kind.decode('ascii', 'replace')}")
    if file[_end(file) :].strip(b"\0"):
        dropped.append(REST)
    return kept, list(dict.fromkeys(dropped))


def with_enlarged_exif(chunks: list[bytes], factor: int) -> list[bytes]:
    """The chunks, with EXIF for a picture with `factor` times as many columns and lines."""
    return [
        _chunk(b"eXIf", enlarged(chunk[8:-4], factor)) if chunk[4:8] == b"eXIf" else chunk for chunk in chunks
    ]


def is_bomb(file: bytes) -> bool:
    """Whether profiles and texts of a PNG unpack to more than any real ones: FFmpeg unpacks them whole."""
    left = _MOST_UNPACKED
    for kind, chunk in _chunks(file):
        if kind in (b"iCCP", b"zTXt", b"iTXt"):
            try:
                left -= len(zlib.decompressobj().decompress(_packed(kind, chunk[8:-4]), left + 1))
            except zlib.error:
                continue
        if left < 0:
            return True
    return False


def plays(file: bytes) -> int | None:
    """How many times an animation is shown, 0: for ever; None: it is a still picture."""
    counts = [int.from_bytes(chunk[12:16], "big") for kind, chunk in _chunks(file) if kind == b"acTL"]
    return counts[0] if counts else None


def picture_count(file: bytes) -> int:
    """The number of pictures that an animation states; 1: it is a still picture."""
    return next((int.from_bytes(chunk[8:12], "big") for kind, chunk in _chunks(file) if kind == b"acTL"), 1)


def pieces_of_animation(file: bytes) -> frozenset[str]:
    """Keys of the pieces that an animation holds besides its frames."""
    kinds = [kind for kind, _ in _chunks(file)]
    found = {"notes"} if {b"tEXt", b"zTXt", b"iTXt", b"eXIf"} & set(kinds) else set()
    before_picture = kinds[: kinds.index(b"IDAT")] if b"IDAT" in kinds else kinds
    return frozenset(found if b"fcTL" in before_picture else found | {"default picture"})


def lost_in_other_kinds(file: bytes) -> list[str]:
    """Names of contents of the chunks that no other kind of picture can hold."""
    kinds = {kind for kind, _ in _chunks(file)}
    named = ["text notes"] if kinds & {b"tEXt", b"zTXt"} or _has_notes(file) else []
    if kinds & {b"sRGB", b"iCCP"}:
        return named
    if b"cICP" in kinds:
        return [*named, "HDR or wide colour (cICP)"]
    return [*named, "gamma and primaries"] if kinds & {b"gAMA", b"cHRM"} else named


def new_chunks(
    exif: bytes | None,
    xmp: bytes | None,
    icc: bytes | None,
    dpi: tuple[float, float] | None,
    cicp: tuple[int, int] | None,
) -> list[bytes]:
    """Chunks for metadata from another kind of file; `cicp`: H.273's codes of primaries and transfer.

    Args:
        exif: An EXIF block in TIFF's form.
        xmp: An XMP packet.
        icc: A colour profile.
        dpi: Pixels per inch, horizontally and vertically.
        cicp: H.273's codes of primaries and transfer.
    """
    chunks = []
    if cicp is not None:
        chunks.append(_chunk(b"cICP", bytes([*cicp, 0, 1])))
    if icc:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc)))
    if dpi:
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *(round(value / _INCH) for value in dpi), 1)))
    if exif:
        chunks.append(_chunk(b"eXIf", exif))
    if xmp:
        chunks.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    return chunks


def with_chunks(file: bytes, chunks: list[bytes]) -> bytes:
    """The file with `chunks` in place of its metadata."""
    head, rest = [], []
    for kind, chunk in _chunks(file):
        if kind == b"IHDR":
            head.append(chunk)
        elif kind in _PICTURE:
            rest.append(chunk)
    return SIGNATURE + b"".join([*head, *chunks, *rest])


def _has_notes(file: bytes) -> bool:
    return any(
        kind == b"iTXt" and not chunk[8:].startswith(b"XML:com.adobe") for kind, chunk in _chunks(file)
    )


def _end(file: bytes) -> int:
    """The position after the last chunk."""
    return len(SIGNATURE) + sum(len(chunk) for _, chunk in _chunks(file))


def _packed(kind: bytes, body: bytes) -> bytes:
    """The compressed part of a chunk's content."""
    _, _, rest = body.partition(b"\0")
    if kind != b"iTXt":
        return rest[1:]
    return rest[2:].split(b"\0", 2)[-1] if rest.startswith(b"\1") else b""


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and bytes of each chunk; ends at damage, or with the last chunk of the picture."""
    at, kind = len(SIGNATURE), b""
    while file.startswith(SIGNATURE) and at + 12 <= len(file) and kind != b"IEND":
        (size,) = struct.unpack_from(">I", file, at)
        if at + 12 + size > len(file):
            return
        kind = file[at + 4 : at + 8]
        yield kind, file[at : at + 12 + size]
        at += 12 + size
