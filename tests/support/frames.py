"""Frames of any planar format, from arrays."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from vidrestore.types import ColourTags, Frame, PixelFormat

FORMATS = {
    "yuv420p": PixelFormat(name="yuv420p", family="yuv", bit_depth=8, chroma_shift=(1, 1)),
    "yuv422p10le": PixelFormat(name="yuv422p10le", family="yuv", bit_depth=10, chroma_shift=(1, 0)),
    "yuv444p": PixelFormat(name="yuv444p", family="yuv", bit_depth=8),
    "gbrp": PixelFormat(name="gbrp", family="rgb", bit_depth=8),
    "gray": PixelFormat(name="gray", family="gray", bit_depth=8),
}


def make_frame(planes: Sequence[np.ndarray], name: str, tags: ColourTags | None = None) -> Frame:
    return Frame(
        index=0,
        pts=0,
        duration=1,
        time_base=Fraction(1, 25),
        planes=tuple(planes),
        format=FORMATS[name],
        colour=tags or ColourTags(),
    )


def random_frame(name: str, width: int, height: int, seed: int = 0) -> Frame:
    """Noise in the legal range."""
    rng = np.random.default_rng(seed)
    form = FORMATS[name]
    unit = 1 << (form.bit_depth - 8)
    count = 1 if form.family == "gray" else 3
    planes = []
    for index in range(count):
        sx, sy = form.chroma_shift if index else (0, 0)
        size = (-(-height // (1 << sy)), -(-width // (1 << sx)))
        planes.append(rng.integers(16 * unit, 235 * unit, size).astype(np.uint16 if unit > 1 else np.uint8))
    return make_frame(planes, name)
