"""Interlaced pictures are split into fields and merged again, and detected where no flag marks them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.footage import Footage, interlaced, make_footage, panned
from tests.support.frames import random_frame
from vidrestore.errors import UsageError
from vidrestore.types import Frame, PixelFormat
from vidrestore.video import (
    FieldMeasure,
    choose_field_processing,
    describe_format,
    look_at,
    open_video,
    probe,
)
from vidrestore.video.interlacing.fields import deinterlace, split, weave


def noise(name: str, count: int, size: tuple[int, int] = (64, 48)) -> list[Frame]:
    """Frames of which each line differs from all others, at uneven times."""
    return [
        replace(random_frame(name, *size, seed=i), index=i, pts=10 + i * i * 3, duration=0)
        for i in range(count)
    ]


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "gbrp", "gray"])
@pytest.mark.parametrize("order", ["top", "bottom"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_woven_fields_are_the_pictures_they_come_from_bit_for_bit(name: str, order: str, count: int) -> None:
    frames = noise(name, count)
    fields = list(split(frames, order))  # type: ignore[arg-type]
    assert len(fields) == 2 * count
    woven = list(weave(fields, order))  # type: ignore[arg-type]
    assert [(f.index, f.pts, f.duration) for f in woven] == [(f.index, f.pts, f.duration) for f in frames]
    for result, original in zip(woven, frames, strict=True):
        for plane, expected in zip(result.planes, original.planes, strict=True):
            np.testing.assert_array_equal(plane, expected)


@pytest.mark.parametrize("name", ["gray10le", "gbrap12le", "yuva420p9le", "yuva444p12le", "yuva422p10le"])
def test_depths_that_bwdif_does_not_know_keep_their_codes(name: str) -> None:
    form = describe_format(name)
    peak, random = (1 << form.bit_depth) - 1, np.random.default_rng(0)
    layout = av.VideoFormat(name, 64, 48).components
    frames = [
        replace(f, format=form, planes=tuple(random.integers(0, peak, (c.height, c.width), np.uint16, True)
                                             for c in layout))
        for f in noise("gray", 3)
    ]  # fmt: skip
    fields = list(split(frames, "top"))
    assert max(int(plane.max()) for field in fields for plane in field.planes) == peak
    for result, original in zip(weave(fields, "top"), frames, strict=True):
        for plane, expected in zip(result.planes, original.planes, strict=True):
            np.testing.assert_array_equal(plane, expected)


def test_an_odd_number_of_lines_loses_none() -> None:
    frames = noise("gray", 3, (64, 49))
    for result, original in zip(weave(split(frames, "top"), "top"), frames, strict=True):
        np.testing.assert_array_equal(result.planes[0], original.planes[0])


@pytest.mark.parametrize("order", ["top", "bottom"])
def test_each_field_is_the_whole_picture_of_its_own_moment(order: str) -> None:
    grey = [np.full((48, 64), value, np.uint8) for value in (20, 60, 100, 140)]
    combed = interlaced(grey, top_first=order == "top")
    frames = [replace(f, planes=(c,)) for f, c in zip(noise("gray", 2), combed, strict=True)]
    for field, moment in zip(split(frames, order), grey, strict=True):  # type: ignore[arg-type]
        assert np.abs(field.planes[0][4:-4].astype(int) - moment[4:-4]).mean() < 12
        assert field.second_field == (int(moment[0, 0]) in (60, 140))


def test_the_second_field_lies_half_way_to_the_next_picture() -> None:
    frames = noise("gray", 4)  # pts 10, 13, 22, 37
    times = [field.pts * field.time_base * 25 for field in split(frames, "top")]
    assert times == [10, Fraction(23, 2), 13, Fraction(35, 2), 22, Fraction(59, 2), 37, Fraction(89, 2)]


def test_deinterlacing_keeps_the_number_and_the_times_of_the_frames() -> None:
    frames = noise("yuv420p", 4)
    result = list(deinterlace(frames, "top"))
    assert [(f.index, f.pts) for f in result] == [(f.index, f.pts) for f in frames]
    assert all(f.format == g.format for f, g in zip(result, frames, strict=True))


def test_a_format_that_bwdif_would_convert_is_refused() -> None:
    odd = PixelFormat(name="yuv410p", family="yuv", bit_depth=8, chroma_shift=(2, 2))
    planes = (np.zeros((48, 64), np.uint8), *[np.zeros((12, 16), np.uint8)] * 2)
    frame = replace(noise("gray", 1)[0], planes=planes, format=odd)
    try:
        kept = [result.planes for result in weave(split([frame], "top"), "top")]
    except UsageError as error:
        assert "yuv410p" in str(error)  # noqa: PT017 - either answer is right, a converted picture is not
    else:
        assert [plane.shape for plane in kept[0]] == [plane.shape for plane in planes]


@pytest.mark.parametrize(
    ("flagged", "seen", "order"),
    [
        ("progressive", {"top": 20}, "top"),
        ("progressive", {"bottom": 20}, "bottom"),
        ("progressive", {"progressive": 20}, "progressive"),
        ("progressive", {"progressive": 60, "top": 5}, "progressive"),
        ("progressive", {"top": 10, "bottom": 9}, "progressive"),
        ("progressive", {"progressive": 60, "top": 30}, "progressive"),
        ("progressive", {"top": 7}, "progressive"),
        ("progressive", {"top": 8}, "top"),
        ("progressive", {}, "progressive"),
        ("top", {}, "top"),
        ("bottom", {"top": 20}, "bottom"),
        ("top", {"progressive": 80}, "progressive"),
        ("top", {"progressive": 10}, "top"),
        ("top", {"progressive": 60, "top": 20}, "top"),
    ],
)
def test_the_field_order_is_decided_from_flags_and_content(
    flagged: str, seen: dict[str, int], order: str
) -> None:
    values = {"frames": 90, "progressive": 0, "top": 0, "bottom": 0, "repeated": 0} | seen
    assert FieldMeasure(**values).order(flagged) == order  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("deinterlace", "combed", "method", "output"),
    [
        ("auto", True, "fields", "top"),
        ("auto", False, "whole", "progressive"),
        ("keep", False, "fields", "top"),
        ("keep", True, "fields", "top"),
        ("bwdif", True, "bwdif", "progressive"),
        ("bwdif", False, "bwdif", "progressive"),
    ],
)
def test_the_requested_deinterlacing_is_used(
    tmp_path: Path, deinterlace: str, combed: bool, method: str, output: str
) -> None:
    moments = panned(20)
    path = make_footage(tmp_path / "clip.mkv", interlaced(moments) if combed else moments, Footage())
    field_processing = open_video(path, deinterlace=deinterlace).field_processing  # type: ignore[arg-type]
    assert (field_processing.method, field_processing.output) == (method, output)


def test_progressive_video_flagged_as_interlaced_is_processed_whole_and_stays_flagged(tmp_path: Path) -> None:
    path = make_footage(tmp_path / "clip.mkv", panned(30, 2), Footage(field_order=2))
    info = probe(path)
    assert info.field_order == "top"
    field_processing = open_video(path).field_processing
    assert (field_processing.method, field_processing.output) == ("whole", "top")
    # A pipe is not looked into.
    assert choose_field_processing(FieldMeasure(), info, "auto").method == "fields"


def test_a_progressive_video_is_measured_only_until_the_result_is_certain(tmp_path: Path) -> None:
    path = make_footage(tmp_path / "clip.mkv", (panned(10) + panned(10)[::-1]) * 3, Footage())
    measure = look_at(path, measures_fields=True).fields
    # The other half of the ninety could not outweigh them.
    assert (measure.frames, measure.progressive) == (46, 46)
    assert measure.order("progressive") == "progressive"


def test_a_few_lines_do_not_decide_the_field_order(tmp_path: Path) -> None:
    rows = [picture[:16] for picture in interlaced(panned(40))]
    assert (
        look_at(make_footage(tmp_path / "clip.mkv", rows, Footage()), measures_fields=True).fields.decided
        == 0
    )


def test_a_still_picture_does_not_decide_the_field_order(tmp_path: Path) -> None:
    path = make_footage(tmp_path / "clip.mkv", [panned(1)[0]] * 6, Footage())
    assert look_at(path, measures_fields=True).fields.decided == 0
