"""A caller's frame whose planes do not fit its format is refused with one error message."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest

import vidrestore
from vidrestore.in_memory.frame_check import checked_frame
from vidrestore.in_memory.pictures import kind_of

LUMA, CHROMA = np.full((47, 63), 400, np.uint16), np.full((24, 32), 512, np.uint16)
FORMAT = vidrestore.PixelFormat(name="yuv420p10le", family="yuv", bit_depth=10, chroma_shift=(1, 1))
FRAME = vidrestore.Frame(
    index=0,
    pts=0,
    duration=1,
    time_base=Fraction(1, 25),
    planes=(LUMA, CHROMA, CHROMA),
    format=FORMAT,
    colour=vidrestore.ColourTags(matrix=1),
)


def test_a_frame_that_fits_is_taken() -> None:
    assert checked_frame(FRAME) is FRAME
    with_alpha = replace(FRAME, planes=(LUMA, CHROMA, CHROMA, LUMA), format=replace(FORMAT, has_alpha=True))
    assert checked_frame(with_alpha) is with_alpha


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"planes": ()}, "has 3 planes, got 0"),
        ({"planes": (LUMA,)}, "has 3 planes, got 1"),
        ({"planes": (LUMA, LUMA, LUMA)}, r"plane 1 of yuv420p10le must be \(24, 32\), got \(47, 63\)"),
        ({"planes": (LUMA.astype(np.uint8), CHROMA, CHROMA)}, "plane 0 is .* uint8"),
        ({"planes": (LUMA.astype(np.float32), CHROMA, CHROMA)}, "plane 0 is .* float32"),
        ({"planes": (LUMA, CHROMA, None)}, "plane 2 is  NoneType"),
        ({"planes": (LUMA[:0], CHROMA, CHROMA)}, "plane 0 is"),
        ({"planes": (LUMA + 2000, CHROMA, CHROMA)}, "plane 0 of yuv420p10le has values above 1023"),
        ({"format": replace(FORMAT, has_alpha=True)}, "has 4 planes, got 3"),
        ({"format": replace(FORMAT, bit_depth=32)}, "8 to 16 bits, got yuv, 32 bits"),
        ({"format": replace(FORMAT, bit_depth=8)}, "of uint8, plane 0 is"),
        ({"format": replace(FORMAT, family="xyz")}, "got xyz, 10 bits"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(changes: dict[str, Any], sentence: str) -> None:
    frame = replace(FRAME, **changes)
    for use in (lambda: kind_of(frame).to_frame(frame, 0, Fraction(25)), lambda: kind_of(frame).shape(frame)):
        with pytest.raises(vidrestore.UsageError, match=sentence):
            use()


def test_a_picture_of_pyav_without_pixels_is_refused() -> None:
    with pytest.raises(vidrestore.UsageError, match="a picture has pixels, got 0 x 0"):
        kind_of(av.VideoFrame(0, 0, "yuv420p"))
