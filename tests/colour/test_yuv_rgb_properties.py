"""YUV <-> RGB for every matrix, range, depth, subsampling and siting: as in H.273 and as by swscale."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import make_frame
from vidrestore.colour.yuv_rgb import planes_from_rgb, rgb_region
from vidrestore.types import ColourTags, Frame, PixelFormat
from vidrestore.video import describe_format

WEIGHTS = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""H.273 matrix code -> weights of red and blue."""
PLACES = {0: (0.0, 0.5), 1: (0.0, 0.5), 2: (0.5, 0.5), 3: (0.0, 0.0), 4: (0.5, 0.0)}
"""Siting code -> where a 4:2:0 chroma sample lies in its cell, in luma samples: column, row."""
MATRICES, DEPTHS, RANGES = st.sampled_from(list(WEIGHTS)), st.sampled_from([8, 10, 12]), st.booleans()
SUBSAMPLINGS = st.sampled_from(["420", "422", "444"])
UNIT = st.floats(0, 1)
SLOPES = st.tuples(*[st.floats(-0.008, 0.008)] * 6)


def pixel_format(subsampling: str, depth: int) -> PixelFormat:
    return describe_format(f"yuv{subsampling}p" + ("" if depth == 8 else f"{depth}le"))


def frame_of(form: PixelFormat, planes: list[np.ndarray], tags: ColourTags) -> Frame:
    plain = make_frame([np.zeros((2, 2), np.uint8)] * 3, "yuv444p", tags)
    dtype = np.uint8 if form.bit_depth == 8 else np.uint16
    whole = tuple(np.rint(plane).astype(dtype) for plane in planes)
    return Frame(
        index=0, pts=0, duration=1, time_base=plain.time_base, planes=whole, format=form, colour=tags
    )  # fmt: skip


def blank(form: PixelFormat, tags: ColourTags, height: int = 32, width: int = 32) -> Frame:
    sx, sy = form.chroma_shift
    sizes = [(height, width), *[(height >> sy, width >> sx)] * 2]
    return frame_of(form, [np.zeros(size) for size in sizes], tags)


def codes_of(rgb: tuple[float, float, float], matrix: int, full: bool, depth: int) -> list[float]:
    """H.273, equations 38 to 49."""
    kr, kb = WEIGHTS[matrix]
    r, g, b = rgb
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    if full:
        peak = 2**depth - 1
        return [peak * y, peak * cb + 2 ** (depth - 1), peak * cr + 2 ** (depth - 1)]
    unit = 2 ** (depth - 8)
    return [unit * (219 * y + 16), unit * (224 * cb + 128), unit * (224 * cr + 128)]


@settings(max_examples=80, deadline=None)
@given(rgb=st.tuples(UNIT, UNIT, UNIT), matrix=MATRICES, full=RANGES, depth=DEPTHS, sub=SUBSAMPLINGS)
def test_a_colour_has_the_codes_of_the_standard(
    rgb: tuple[float, float, float], matrix: int, full: bool, depth: int, sub: str
) -> None:
    tags = ColourTags(matrix=matrix, full_range=full)
    flat = np.full((8, 8, 3), rgb, np.float32)
    result = planes_from_rgb(flat, blank(pixel_format(sub, depth), tags, 8, 8))
    for plane, code in zip(result, codes_of(rgb, matrix, full, depth), strict=True):
        assert np.abs(plane - code).max() < 2e-3 * 2 ** (depth - 8) + 1e-3


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**16), matrix=MATRICES, full=RANGES, depth=DEPTHS)
def test_every_code_survives_the_way_to_rgb_and_back(seed: int, matrix: int, full: bool, depth: int) -> None:
    """Exactly, without subsampling: also codes that no colour has."""
    tags = ColourTags(matrix=matrix, full_range=full)
    planes = list(np.random.default_rng(seed).integers(0, 2**depth, (3, 8, 8)).astype(float))
    frame = frame_of(pixel_format("444", depth), planes, tags)
    again = planes_from_rgb(rgb_region(frame, 0, 0, 8, 8), frame)
    for plane, given_codes in zip(again, planes, strict=True):
        np.testing.assert_array_equal(np.rint(plane), given_codes)


@settings(max_examples=80, deadline=None)
@given(
    slopes=SLOPES,
    matrix=MATRICES,
    full=RANGES,
    depth=DEPTHS,
    sub=SUBSAMPLINGS,
    siting=st.sampled_from(list(PLACES)),
)
def test_chroma_of_a_ramp_is_the_ramp_where_the_sample_lies(
    slopes: tuple[float, ...], matrix: int, full: bool, depth: int, sub: str, siting: int
) -> None:
    form = pixel_format(sub, depth)
    frame = blank(form, ColourTags(matrix=matrix, full_range=full, siting=siting))
    result = planes_from_rgb(_ramp(slopes), frame)
    sx, sy = form.chroma_shift
    column, row = PLACES[siting]
    j, i = np.mgrid[0 : 32 >> sy, 0 : 32 >> sx]
    x = (i << sx) + (column if sx else 0)
    y = (j << sy) + (row if sy else 0)
    colour = [0.5 + slopes[2 * c] * (x - 16) + slopes[2 * c + 1] * (y - 16) for c in range(3)]
    expected = codes_of((colour[0], colour[1], colour[2]), matrix, full, depth)  # type: ignore[arg-type]
    for plane, code in zip(result[1:], expected[1:], strict=True):
        assert np.abs(plane - code)[2:-2, 2:-2].max() < 0.01 * 2 ** (depth - 8)


@settings(max_examples=80, deadline=None)
@given(
    slopes=SLOPES,
    matrix=MATRICES,
    full=RANGES,
    depth=DEPTHS,
    sub=SUBSAMPLINGS,
    siting=st.sampled_from(list(PLACES)),
)
def test_a_ramp_comes_back_to_within_the_rounding_of_its_codes(
    slopes: tuple[float, ...], matrix: int, full: bool, depth: int, sub: str, siting: int
) -> None:
    form, tags = pixel_format(sub, depth), ColourTags(matrix=matrix, full_range=full, siting=siting)
    rgb = _ramp(slopes)
    frame = frame_of(form, list(planes_from_rgb(rgb, blank(form, tags))), tags)
    again = rgb_region(frame, 0, 0, 32, 32)
    # Half a code of luma and of the chroma that weighs most in blue.
    assert np.abs(again - rgb)[4:-4, 4:-4].max() < 1.6 / (219 * 2 ** (depth - 8))


@pytest.mark.parametrize(("matrix", "name"), [(1, "itu709"), (5, "itu601"), (4, "fcc"), (7, "smpte240m")])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("depth", [8, 10, 12])
@settings(max_examples=8, deadline=None)
@given(rgb=st.tuples(*[st.floats(0.05, 0.95)] * 3))
def test_colours_are_those_swscale_shows(
    matrix: int, name: str, full: bool, depth: int, rgb: tuple[float, float, float]
) -> None:
    form = pixel_format("444", depth)
    codes = np.rint(codes_of(rgb, matrix, full, depth))
    dtype = np.uint8 if depth == 8 else np.uint16
    picture = av.VideoFrame(16, 16, form.name)
    for plane, code in zip(picture.planes, codes, strict=True):
        plane.update(np.full((16, plane.line_size // np.dtype(dtype).itemsize), code, dtype).tobytes())
    theirs = picture.reformat(
        format="rgb48le",
        src_colorspace=name,
        dst_colorspace=name,
        src_color_range="JPEG" if full else "MPEG",
        dst_color_range="JPEG",
    ).to_ndarray()[8, 8]
    planes = [np.full((16, 16), code) for code in codes]
    frame = frame_of(form, planes, ColourTags(matrix=matrix, full_range=full))
    ours = rgb_region(frame, 8, 8, 9, 9)[0, 0]
    assert np.abs(np.clip(ours, 0, 1) - theirs / 65535).max() < 2.5 / 255


def _ramp(slopes: tuple[float, ...]) -> np.ndarray:
    y, x = np.mgrid[0:32, 0:32] - 16
    return np.stack(
        [0.5 + slopes[2 * c] * x + slopes[2 * c + 1] * y for c in range(3)], axis=2
    ).astype(np.float32)  # fmt: skip
