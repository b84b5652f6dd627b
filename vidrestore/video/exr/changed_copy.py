"""A copy of an OpenEXR file in which only the colours of the picture are changed.

OpenCV reads and writes the main picture only. Here the `OpenEXR` package copies everything else: other
channels and parts, such as depth, masks and render layers, and all attributes, such as time codes.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

_MAX_SAMPLES = 1_000_000_000
"""Samples of all channels together; a small file can state more than fits into memory."""
_LOSSLESS = {"NO", "RLE", "ZIPS", "ZIP", "PIZ", "ZSTD", "LJ2K", "HTJ2K32", "HTJ2K256"}
"""Compressions that keep every bit. A second lossy compression would change all pixels."""
_LARGEST_HALF = 65504.0


def changed_copy(source: Path, picture: FloatArray) -> bytes | None:
    """The content of a file like `source` with the colours of `picture`.

    Args:
        source: An OpenEXR file.
        picture: (H, W, C) light, like the result of `exr_file.load` of the same file. Alpha is not copied.

    Returns:
        The content, or None if the file is of a kind that cannot be copied in this way, such as one with
        subsampled colours.

    Raises:
        OSError: The file cannot be read.
    """
    import OpenEXR

    content = source.read_bytes()
    try:
        parts = OpenEXR.File(io.BytesIO(content), header_only=True).parts
        if _sample_count(parts) > _MAX_SAMPLES:
            return None
        file = OpenEXR.File(io.BytesIO(content), separate_channels=True)
        if len(file.parts) != len(parts) or not _set_colours(file.parts[0].channels, picture):
            return None
        for part in file.parts:
            part.header.pop("preview", None)  # it shows the old picture
            if part.header["compression"].name.removesuffix("_COMPRESSION") not in _LOSSLESS:
                part.header["compression"] = OpenEXR.ZIP_COMPRESSION
        packed = io.BytesIO()
        file.write(packed)
    except (RuntimeError, ValueError, TypeError):  # the package has no error classes of its own
        return None
    return packed.getvalue()


def _sample_count(parts: list[Any]) -> int:
    count = 0
    for part in parts:
        (left, top), (right, bottom) = part.header["dataWindow"]
        count += (int(right) - int(left) + 1) * (int(bottom) - int(top) + 1) * len(part.header["channels"])
    return count


def _set_colours(channels: dict[str, Any], picture: FloatArray) -> bool:
    """Writes changed samples into the channels; False if these are not the channels of `picture`."""
    names = ["Y"] if picture.shape[2] == 1 else ["R", "G", "B"]
    if not all(name in channels and _fits(channels[name], picture) for name in names):
        return False
    for index, name in enumerate(names):
        old: NDArray[Any] = channels[name].pixels
        new = picture[:, :, index]
        changed = old.astype(np.float32) != new
        limit = _LARGEST_HALF if old.dtype == np.float16 else np.inf
        pixels = old.copy()
        pixels[changed] = np.clip(new[changed], -limit, limit)
        channels[name].pixels = pixels
    return True


def _fits(channel: Any, picture: FloatArray) -> bool:
    return (
        channel.xSampling == channel.ySampling == 1
        and channel.pixels.shape == picture.shape[:2]
        and channel.pixels.dtype in (np.float16, np.float32)
    )
