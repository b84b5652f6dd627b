"""Planes and RGB: the standards' own numbers, and no way to lose a sample."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import FORMATS, make_frame, random_frame
from vidrestore.colour import planes_from_rgb, rgb_region, small_rgb
from vidrestore.types import ColourTags

BT601, BT709, BT2020 = 6, 1, 9


def flat(y: int, cb: int, cr: int, matrix: int, *, full: bool = False) -> np.ndarray:
    planes = [np.full((4, 4), v, np.uint8) for v in (y, cb, cr)]
    tags = ColourTags(matrix=matrix, full_range=full)
    return rgb_region(make_frame(planes, "yuv444p", tags), 0, 0, 4, 4)[1, 1]


@pytest.mark.parametrize("matrix", [BT601, BT709, BT2020])
def test_black_and_white_lie_at_the_ends_of_the_range(matrix: int) -> None:
    assert flat(16, 128, 128, matrix) == pytest.approx([0, 0, 0], abs=1e-6)
    assert flat(235, 128, 128, matrix) == pytest.approx([1, 1, 1], abs=1e-6)
    assert flat(0, 128, 128, matrix, full=True) == pytest.approx([0, 0, 0], abs=3e-3)
    assert flat(255, 128, 128, matrix, full=True) == pytest.approx([1, 1, 1], abs=8e-3)


@pytest.mark.parametrize(
    ("matrix", "codes"), [(BT601, (81, 90, 240)), (BT709, (63, 102, 240)), (BT2020, (74, 97, 240))]
)
def test_red_has_the_codes_the_standards_give_it(matrix: int, codes: tuple[int, int, int]) -> None:
    assert flat(*codes, matrix) == pytest.approx([1, 0, 0], abs=0.01)


def test_untagged_pictures_are_judged_by_their_height() -> None:
    small = make_frame([np.full((4, 4), v, np.uint8) for v in (81, 90, 240)], "yuv444p")
    large = make_frame([np.full((720, 4), v, np.uint8) for v in (63, 102, 240)], "yuv444p")
    for frame in (small, large):
        assert rgb_region(frame, 0, 0, 2, 2)[0, 0] == pytest.approx([1, 0, 0], abs=0.01)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["yuv444p", "yuv420p", "yuv422p10le", "gbrp"]),
    matrix=st.sampled_from([BT601, BT709, BT2020]),
    full=st.booleans(),
    siting=st.sampled_from([0, 1, 2, 3]),
    slopes=st.tuples(*[st.floats(-0.004, 0.004)] * 6),
)
def test_smooth_colour_survives_the_way_there_and_back(
    name: str, matrix: int, full: bool, siting: int, slopes: tuple[float, ...]
) -> None:
    form = FORMATS[name]
    y, x = np.mgrid[0:32, 0:48]
    rgb = np.stack([0.5 + slopes[2 * c] * x + slopes[2 * c + 1] * y for c in range(3)], 2).astype(np.float32)
    blank = random_frame(name, 48, 32)
    frame = make_frame(blank.planes, name, ColourTags(matrix=matrix, full_range=full, siting=siting))
    codes = planes_from_rgb(rgb, frame)
    rounded = [np.rint(c).astype(p.dtype) for c, p in zip(codes, frame.planes, strict=True)]
    again = rgb_region(make_frame(rounded, name, frame.colour), 0, 0, 48, 32)
    step = 1 / ((1 << form.bit_depth) - 1)
    inside = (again - rgb)[4:-4, 4:-4]
    assert np.abs(inside).max() < 2.2 * step


@pytest.mark.parametrize(("matrix", "name"), [(BT601, "itu601"), (BT709, "itu709")])
def test_colours_equal_those_of_swscale(matrix: int, name: str) -> None:
    rng = np.random.default_rng(0)
    flat_colours = rng.integers(20, 235, (3, 6)).astype(np.uint8)
    for y, cb, cr in zip(*flat_colours, strict=True):
        planes = [np.full((16, 16), v, np.uint8) for v in (y, 64 + cb // 2, 64 + cr // 2)]
        picture = av.VideoFrame.from_ndarray(np.stack(planes), format="yuv444p")
        theirs = picture.reformat(format="rgb24", src_colorspace=name, dst_colorspace=name).to_ndarray()[8, 8]
        ours = rgb_region(make_frame(planes, "yuv444p", ColourTags(matrix=matrix)), 8, 8, 9, 9)[0, 0]
        assert np.abs(np.clip(ours, 0, 1) * 255 - theirs).max() <= 2


@pytest.mark.parametrize(
    ("siting", "column", "row"),
    [(1, 0.0, 0.5), (2, 0.5, 0.5), (3, 0.0, 0.0)],
    ids=["left", "centre", "top-left"],
)
def test_chroma_lies_where_its_siting_says(siting: int, column: float, row: float) -> None:
    luma = np.full((16, 16), 126, np.uint8)
    j, i = np.mgrid[0:8, 0:8]
    cb = (100 + 4 * i + 2 * j).astype(np.uint8)  # a ramp: its value names the place
    cr = np.full((8, 8), 128, np.uint8)
    frame = make_frame([luma, cb, cr], "yuv420p", ColourTags(matrix=BT601, siting=siting))
    blue = rgb_region(frame, 0, 0, 16, 16)[..., 2]
    value = (blue - (126 - 16) / 219) / (2 * (1 - 0.114)) * 224 + 128
    y, x = np.mgrid[4:12, 4:12]
    expected = 100 + 4 * (x - column) / 2 + 2 * (y - row) / 2
    assert value[4:12, 4:12] == pytest.approx(expected, abs=1e-2)


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_region_equals_the_same_part_of_the_whole(name: str) -> None:
    frame = random_frame(name, 31, 21)
    whole = rgb_region(frame, 0, 0, 31, 21)
    assert np.allclose(rgb_region(frame, 5, 3, 20, 18), whole[3:18, 5:20], atol=1e-6)


def test_a_region_outside_the_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="not inside 8 x 8"):
        rgb_region(random_frame("gray", 8, 8), 0, 0, 9, 8)


def test_a_change_of_colour_changes_codes_by_the_same_wherever_it_begins() -> None:
    frame = random_frame("yuv420p", 16, 16)
    rng = np.random.default_rng(1)
    base, change = (rng.random((16, 16, 3)).astype(np.float32) * 0.4 for _ in range(2))
    moved = planes_from_rgb(base + change, frame)
    for a, b, c in zip(
        moved, planes_from_rgb(base, frame), planes_from_rgb(change, frame, difference=True), strict=True
    ):
        assert np.allclose(a - b, c, atol=1e-3)


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_small_copy_has_the_colours_of_the_frame(name: str) -> None:
    frame = random_frame(name, 200, 100)
    rgb, scale = small_rgb(frame, 50)
    assert rgb.shape == (25, 50, 3)
    assert scale == 0.25
    whole = np.clip(rgb_region(frame, 0, 0, 200, 100), 0, 1).mean((0, 1))
    assert rgb.mean((0, 1)) / 255 == pytest.approx(whole, abs=0.05)
