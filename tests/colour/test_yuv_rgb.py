"""Planes and RGB: the standards' own numbers, and no way to lose a sample."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import FORMATS, make_frame, random_frame
from vidrestore.colour.matrices import luma_weights
from vidrestore.colour.yuv_rgb import (
    chroma_cell_mean,
    downscaled_rgb,
    planes_from_rgb,
    rgb_region,
    shrink_to_chroma,
)
from vidrestore.types import ColourTags, Frame
from vidrestore.video import describe_format

BT601, BT709, BT2020, YCGCO, DERIVED = 6, 1, 9, 8, 12


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


@pytest.mark.parametrize("siting", range(6))
@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "yuv444p", "yuv410p"])
def test_chroma_is_interpolated_as_point_by_point(name: str, siting: int) -> None:
    frame = chroma_frame(name, siting)
    cb, cr = (at_luma(plane, frame) for plane in frame.planes[1:])
    y = (frame.planes[0].astype(float) - 16 * unit(frame)) / (219 * unit(frame))
    blue = y + (cb - 128 * unit(frame)) * 2 * (1 - 0.114) / (224 * unit(frame))
    red = y + (cr - 128 * unit(frame)) * 2 * (1 - 0.299) / (224 * unit(frame))
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    expected = np.stack([red, green, blue], 2)[2:19, 3:30]
    assert rgb_region(frame, 3, 2, 30, 19) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("siting", range(6))
@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "yuv444p", "yuv410p"])
def test_chroma_is_sampled_as_cell_by_cell(name: str, siting: int) -> None:
    frame = chroma_frame(name, siting)
    plane = np.random.default_rng(2).random((21, 31)).astype(np.float32)
    assert shrink_to_chroma(plane, frame) == pytest.approx(shrunk(plane, frame), abs=1e-6)


def test_a_chroma_cell_mean_is_zero_only_where_all_its_samples_are_zero() -> None:
    frame = random_frame("yuv420p", 31, 21)
    plane = np.zeros((21, 31), np.float32)
    plane[6, 9] = plane[20, 30] = 1e-6
    mean = chroma_cell_mean(plane, frame)
    assert mean.shape == (11, 16)
    assert np.argwhere(mean).tolist() == [[3, 4], [10, 15]]
    assert mean[3, 4] == pytest.approx(0.25e-6)
    assert mean[10, 15] == pytest.approx(1e-6)  # a cell of which one sample is inside


def test_a_field_with_half_a_cell_too_many_lines_repeats_its_last_chroma() -> None:
    frame = random_frame("yuv420p", 8, 5)
    planes = [frame.planes[0], *(plane[:2] for plane in frame.planes[1:])]
    shown = rgb_region(make_frame(planes, "yuv420p"), 0, 0, 8, 5)
    padded = [frame.planes[0], *(np.concatenate([p[:2], p[1:2]]) for p in frame.planes[1:])]
    assert shown == pytest.approx(rgb_region(make_frame(padded, "yuv420p"), 0, 0, 8, 5))


def test_a_region_outside_the_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="not inside 8 x 8"):
        rgb_region(random_frame("gray", 8, 8), 0, 0, 9, 8)


def test_a_change_of_colour_changes_codes_equally_from_any_first_colour() -> None:
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
    rgb, scale = downscaled_rgb(frame, 50)
    assert rgb.shape == (25, 50, 3)
    assert scale == 0.25
    whole = np.clip(rgb_region(frame, 0, 0, 200, 100), 0, 1).mean((0, 1))
    assert rgb.mean((0, 1)) / 255 == pytest.approx(whole, abs=0.05)


def chroma_frame(name: str, siting: int) -> Frame:
    """31 x 21 random samples, BT.601."""
    form = describe_format(name)
    columns, rows = (-(-size // (1 << s)) for size, s in zip((31, 21), form.chroma_shift, strict=True))
    rng, top = np.random.default_rng(1), 1 << form.bit_depth
    planes = [rng.integers(0, top, size) for size in ((21, 31), (rows, columns), (rows, columns))]
    like = random_frame("yuv420p", 2, 2)
    dtype = np.uint8 if form.bit_depth == 8 else np.uint16
    tags = ColourTags(matrix=BT601, siting=siting)
    return replace(like, planes=tuple(plane.astype(dtype) for plane in planes), format=form, colour=tags)


def unit(frame: Frame) -> int:
    return 1 << (frame.format.bit_depth - 8)


def places(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Where luma columns and rows lie, in chroma samples."""
    found = []
    for size, shift, cosited in zip(
        (frame.width, frame.height),
        frame.format.chroma_shift,
        (frame.colour.siting in (0, 1, 3, 5), frame.colour.siting in (3, 4)),
        strict=True,
    ):
        factor = 1 << shift
        found.append((np.arange(size) - (0 if cosited else (factor - 1) / 2)) / factor)
    return found[0], found[1]


def at_luma(plane: np.ndarray, frame: Frame) -> np.ndarray:
    """The slow twin: one line after the other, then one column."""
    columns, rows = places(frame)
    lines = np.array([np.interp(columns, np.arange(plane.shape[1]), line) for line in plane])
    return np.array([np.interp(rows, np.arange(plane.shape[0]), line) for line in lines.T]).T


def shrunk(plane: np.ndarray, frame: Frame) -> np.ndarray:
    """The slow twin: each chroma sample the mean of the luma samples around it, by how near they are."""
    out = plane.astype(float)
    for axis, (shift, cosited) in enumerate(
        zip(
            frame.format.chroma_shift[::-1],
            (frame.colour.siting in (3, 4), frame.colour.siting in (0, 1, 3, 5)),
            strict=True,
        )
    ):
        factor, size = 1 << shift, plane.shape[axis]
        cells = []
        for first in range(0, size, factor):
            away = np.arange(1 - factor, factor) if cosited else np.arange(factor)
            weights = factor - np.abs(away) if cosited else np.ones(factor)
            taken = np.take(out, np.clip(first + away, 0, size - 1), axis=axis)
            cells.append(np.average(taken, axis=axis, weights=weights))
        out = np.stack(cells, axis=axis)
    return out


@pytest.mark.parametrize(
    ("rgb", "codes"),
    [
        ((1, 0, 0), (64, 64, 255)),
        ((0, 1, 0), (128, 255, 128)),
        ((0, 0, 1), (64, 64, 0)),
        ((1, 1, 1), (255, 128, 128)),
    ],
)
def test_ycgco_has_the_codes_of_h273(rgb: tuple[int, ...], codes: tuple[int, int, int]) -> None:
    """8-10 and 8-11 of H.273: luma, green against the others, orange against blue."""
    assert flat(*codes, YCGCO, full=True) == pytest.approx(rgb, abs=0.01)


@pytest.mark.parametrize("matrix", [YCGCO, DERIVED])
def test_colours_survive_conversion_by_ycgco_and_derived_matrices_and_back(matrix: int) -> None:
    rgb = np.random.default_rng(1).random((16, 24, 3)).astype(np.float32)
    blank = random_frame("yuv444p", 24, 16)
    frame = make_frame(blank.planes, "yuv444p", ColourTags(matrix=matrix, primaries=9, full_range=True))
    rounded = [np.rint(c).astype(np.uint8) for c in planes_from_rgb(rgb, frame)]
    again = rgb_region(make_frame(rounded, "yuv444p", frame.colour), 0, 0, 24, 16)
    assert np.abs(again - rgb).max() < 0.02


@pytest.mark.parametrize(("primaries", "same"), [(1, BT709), (9, BT2020), (6, None)])
def test_a_matrix_derived_of_primaries_is_the_standards_where_it_has_one(
    primaries: int, same: int | None
) -> None:
    derived = luma_weights(ColourTags(matrix=DERIVED, primaries=primaries), 1080)
    if same is not None:
        assert derived == pytest.approx(luma_weights(ColourTags(matrix=same), 1080), abs=2e-4)
    else:
        assert derived == pytest.approx((0.2124, 0.0866), abs=2e-4)
