"""Clips with HDR10 metadata."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from tests.support.clips import Clip, make_clip
from vidrestore.types import ColourTags
from vidrestore.video.reading.side_data import Hdr10
from vidrestore.video.writing.encoder_metadata import encoder_options

MASTERED = Hdr10(
    primaries=tuple(
        Fraction(n, 50000) for n in (34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450)
    ),
    luminance=(Fraction(1, 200), Fraction(1000)),
    light=(1000, 400),
)  # fmt: skip


def mastered_clip(path: Path) -> Path:
    text = encoder_options("libx265", "progressive", ColourTags(), MASTERED)["x265-params"]
    options = {"preset": "ultrafast", "x265-params": text}
    clip = Clip(frames=3, codec="libx265", pixel_format="yuv420p10le", colour=(9, 9, 16, 1), options=options)
    return make_clip(path, clip)
