"""Photos with known answers: samples, and everything that a camera or an editor writes beside them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

pillow_heif.register_heif_opener()
Samples = NDArray[Any]
WIDTH, HEIGHT = 97, 67
"""Odd, so that chroma and blocks end in the middle."""
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF tiff:Orientation="1"/></x:xmpmeta>'
ICC: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKER_NOTE = b"maker\0\1\2\3" * 9


def smooth(channels: int, dtype: str = "uint8", seed: int = 1) -> Samples:
    """(H, W, C) of soft colours, as photos are."""
    rng = np.random.default_rng(seed)
    small = rng.random((7, 9, max(channels, 3)))
    large = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)[..., :channels]
    peak = np.iinfo(dtype).max
    return np.clip(np.rint(large * peak), 0, peak).astype(dtype).reshape(HEIGHT, WIDTH, channels)


def exif(orientation: int = 1, xmp: bytes | None = None) -> bytes:
    """An EXIF block with a camera's name, a date, a place and a maker's note."""
    block = Image.Exif()
    if xmp is not None:
        block[700] = xmp
    block[0x010F], block[0x0112], block[0x0132] = "Camera", orientation, "2024:05:01 10:00:00"
    block.get_ifd(0x8769)[0x9003] = "2024:05:01 10:00:00"
    block.get_ifd(0x8769)[0x927C] = MAKER_NOTE
    block.get_ifd(0x8825)[1] = "N"
    return block.tobytes()


def picture(samples: Samples) -> Image.Image:
    """For Pillow to save; of 8 bits."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples, mode)


def save(path: Path, samples: Samples, *, orientation: int = 1, **options: Any) -> Path:
    """Writes a photo with EXIF, XMP and a colour profile; the kind is the name's."""
    beside: dict[str, Any] = {"exif": exif(orientation), "icc_profile": ICC, "xmp": XMP} | options
    if samples.shape[2] < 3:
        del beside["icc_profile"]  # it is RGB's
    if path.suffix == ".tif":
        beside["exif"] = exif(orientation, xmp=beside.pop("xmp"))
        if "compression" in beside:  # libtiff, by which Pillow writes such, takes no EXIF
            del beside["exif"]
            beside["tiffinfo"] = {0x010F: "Camera", 700: XMP}
    if path.suffix == ".png":
        beside.pop("xmp")
    picture(samples).save(path, **beside)
    return path


def save_16(path: Path, samples: Samples) -> Path:
    """Writes 16-bit samples, RGB order, without anything beside them."""
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[samples.shape[2]]
    assert cv2.imwrite(str(path), samples[..., order])
    return path


def look_16(path: Path) -> Samples:
    """(H, W, C) as stored, RGB order."""
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert stored is not None
    if stored.ndim == 2:
        return stored[..., None]
    return stored[..., [2, 1, 0, *range(3, stored.shape[2])]]


def shown(path: Path, mode: str = "RGB") -> Samples:
    """(H, W, C) as a viewer that honours EXIF shows it."""
    with Image.open(path) as opened:
        return np.asarray(ImageOps.exif_transpose(opened).convert(mode))


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def chunks_of(path: Path) -> dict[bytes, bytes]:
    """Bodies of a PNG's chunks, the last of each kind."""
    data, at, found = path.read_bytes(), 8, {}
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        found[data[at + 4 : at + 8]] = data[at + 8 : at + 8 + size]
        at += 12 + size
    return found


def jpeg_with(file: bytes, *segments: tuple[int, bytes]) -> bytes:
    """The JPEG file with segments (code, body) before all others."""
    result = b"".join(bytes([0xFF, c]) + struct.pack(">H", len(b) + 2) + b for c, b in segments)
    return file[:2] + result + file[2:]


def encoded(samples: Samples, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture(samples).save(file, kind, **options)
    return file.getvalue()


def convert(source: Path, target: Path, **settings: Any) -> list[str]:
    """Writes `source` as `target` as restoring it without faces would; gives the warnings."""
    from vidrestore import video
    from vidrestore.settings import make_settings

    chosen = make_settings(**settings)
    original = video.open_input(source, **chosen.input_options())
    info = video.probe(original)
    with video.make_writer(target, info, source=original, **chosen.encoding_options()) as writer:
        for frame in video.read_frames(original, info):
            writer.write(frame)
    return list(writer.warnings)
