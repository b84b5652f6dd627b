"""Writes TIFF files with 8 and 16 bits and any tags. (Pillow does not support colours with 16 bits.)"""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.video.photos import tags
from vidrestore.video.photos.tags import LONG, SHORT, ByteOrder, Tags, Value

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_OFFSETS, _CHANNELS, _ROWS, _COUNTS, _PLANAR = 273, 277, 278, 279, 284
_PREDICTOR, EXTRA_SAMPLES, ORIENTATION = 317, 338, 274
_X_RESOLUTION, _Y_RESOLUTION, _UNIT = 282, 283, 296
XMP, IPTC, PHOTOSHOP, ICC = 700, 33723, 34377, 34675
_NOT_IN_EXIF = {XMP, IPTC, PHOTOSHOP, ICC}
_RAW, _DEFLATE = 1, 8
_EXIF_SIZE = {0xA002, 0xA003}
_RATIONAL = 5
_STRUCTURE = frozenset([
    254, 255, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, 263, 264, 265, 266, _OFFSETS, _CHANNELS,
    _ROWS, _COUNTS, 280, 281, _PLANAR, 288, 289, 290, 291, 292, 293, 301, _PREDICTOR, 320, 321, 322, 323, 324,
    325, 326, 327, 328, 330, EXTRA_SAMPLES, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520,
    521, 529, 530, 531, 532,
])  # fmt: skip
"""Tags about how samples are stored: written again, or not needed."""
_STRIP_BYTES = 1 << 18


def kept_tags(file: bytes) -> tuple[ByteOrder, dict[int, Value], int]:
    """Byte order and metadata tags of a TIFF file, and the kind of its extra samples: 1 premultiplied alpha,
    2 straight alpha, 0 something else."""
    order, found = tags.read(file)
    extra = found.get(EXTRA_SAMPLES)
    kind = struct.unpack(f"{order}H", extra.data[:2])[0] if extra and extra.type == SHORT else 2
    return order, {tag: value for tag, value in found.items() if tag not in _STRUCTURE}, kind


def with_enlarged_exif(metadata: Tags, order: ByteOrder, factor: int) -> Tags:
    """The tags, with EXIF for a picture `factor` times as wide and high.

    Args:
        metadata: The metadata tags, from `kept_tags`.
        order: Their byte order.
        factor: How many times as wide and high.
    """
    directory = metadata.get(tags.EXIF)
    if directory is None or directory.inside is None:
        return metadata
    inside = dict(directory.inside)
    for tag in _EXIF_SIZE & set(inside):
        form = {SHORT: f"{order}H", LONG: f"{order}I"}.get(inside[tag].type)
        if form is not None:
            size = struct.unpack(form, inside[tag].data[: struct.calcsize(form)])[0]
            inside[tag] = tags.numbers(order, LONG, size * factor)
    return {**metadata, tags.EXIF: replace(directory, inside=inside)}


def is_compressed(file: bytes) -> bool:
    """Whether the samples of a TIFF file are compressed."""
    order, found = tags.read(file)
    how = found.get(_COMPRESSION)
    return how is not None and struct.unpack(f"{order}H", how.data[:2])[0] != _RAW


def new_tags(
    exif: bytes | None, xmp: bytes | None, icc: bytes | None, dpi: tuple[float, float] | None
) -> tuple[ByteOrder, dict[int, Value]]:
    """Byte order and tags for metadata from another kind of file.

    Args:
        exif: An EXIF block in TIFF's form.
        xmp: An XMP packet.
        icc: A colour profile.
        dpi: Pixels per inch, horizontally and vertically.
    """
    order, found = tags.read(exif or b"")
    made = {tag: value for tag, value in found.items() if tag not in _STRUCTURE}
    if dpi and _X_RESOLUTION not in made:
        for tag, value in zip((_X_RESOLUTION, _Y_RESOLUTION), dpi, strict=True):
            data = struct.pack(f"{order}II", round(value * 1000), 1000)
            made[tag] = Value(type=_RATIONAL, count=1, data=data)
        made[_UNIT] = tags.numbers(order, SHORT, 2)
    if xmp:
        made[XMP] = tags.opaque(xmp, type=1)
    if icc:
        made[ICC] = tags.opaque(icc)
    return order, made


def exif_block(file: bytes) -> bytes | None:
    """A TIFF file's tags as an EXIF block for another kind of file."""
    order, found, _ = kept_tags(file)
    described = {tag: value for tag, value in found.items() if tag not in _NOT_IN_EXIF}
    return tags.block(described, order) if described else None


def encode(samples: NDArray[Any], order: ByteOrder, metadata: Tags, *, extra: int, compressed: bool) -> bytes:
    """Encodes samples (H, W, C) with 8 or 16 bits as TIFF: grey, grey and alpha, RGB or RGBA.

    `metadata`: the metadata tags to write, in the byte order `order`; `extra`: as from `kept_tags`.

    Args:
        samples: The samples.
        order: The byte order of the file.
        metadata: The metadata tags, in that byte order.
        extra: Kind of the extra samples, as from `kept_tags`.
        compressed: Whether to compress the samples.
    """
    height, width, channels = samples.shape
    stored = samples.astype(samples.dtype.newbyteorder(order), copy=False)
    rows = max(1, _STRIP_BYTES // (width * channels * samples.itemsize))
    strips = [_strip(stored[at : at + rows], compressed=compressed) for at in range(0, height, rows)]
    places = [8 + int(place) for place in np.cumsum([0, *(len(strip) for strip in strips)])]
    own = {
        _WIDTH: tags.numbers(order, LONG, width),
        _HEIGHT: tags.numbers(order, LONG, height),
        _BITS: tags.numbers(order, SHORT, *[samples.itemsize * 8] * channels),
        _COMPRESSION: tags.numbers(order, SHORT, _DEFLATE if compressed else _RAW),
        _PHOTOMETRIC: tags.numbers(order, SHORT, 2 if channels >= 3 else 1),
        _OFFSETS: tags.numbers(order, LONG, *places[:-1]),
        _CHANNELS: tags.numbers(order, SHORT, channels),
        _ROWS: tags.numbers(order, LONG, rows),
        _COUNTS: tags.numbers(order, LONG, *(len(strip) for strip in strips)),
        _PLANAR: tags.numbers(order, SHORT, 1),
        **({_PREDICTOR: tags.numbers(order, SHORT, 2)} if compressed else {}),
        **({EXTRA_SAMPLES: tags.numbers(order, SHORT, extra)} if channels in (2, 4) else {}),
    }
    at = places[-1] + places[-1] % 2
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, at)
    data = b"".join(strips)
    return head + data + b"\0" * (at - places[-1]) + tags.write({**metadata, **own}, order, at)


def _strip(rows: NDArray[Any], *, compressed: bool) -> bytes:
    """Lines of samples as differences from the left neighbour, deflated."""
    if not compressed:
        return rows.tobytes()
    differences = rows.copy()
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(differences.tobytes())
