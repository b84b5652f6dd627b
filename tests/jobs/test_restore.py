"""A video restored in segments equals one restored without: frames, times, and every sample."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.clips import Clip, make_clip, packets_of
from tests.support.damage import zero_packets
from tests.support.films import film_pictures, make_film
from tests.support.footage import Footage, interlaced, make_footage
from tests.support.jobs import assert_equal, names_in
from vidrestore.types import Report

pytestmark = pytest.mark.slow

FACES = (range(22, 42),)
"""Frames with a face: no scene changes near frame 32, so there the film is cut through a face."""


def facts(report: Report) -> tuple[Any, ...]:
    return (
        report.frames, report.frames_with_faces, report.faces, report.tracks, report.lost_frames,
        report.warnings, report.drawn,
    )  # fmt: skip


def in_both_ways(source: Path, folder: Path, **how: Any) -> tuple[Report, Report]:
    """`whole.mkv` and `parts.mkv` in `folder`."""
    how = {"codec": "ffv1", "device": "cpu"} | how
    whole = vidrestore.restore(source, folder / "whole.mkv", segment=0, **how)
    parts = vidrestore.restore(source, folder / "parts.mkv", segment=1, **how)
    return whole, parts


def test_a_video_restored_in_segments_equals_one_restored_without_segments(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", 60, FACES)
    whole, parts = in_both_ways(source, tmp_path)
    assert whole.faces > 15
    assert facts(parts) == facts(whole)
    assert sum(share.frames for share in parts.drawn) == parts.faces
    assert len(parts.drawn) == parts.tracks
    assert any(share.mean > 0 for share in parts.drawn)
    assert_equal(tmp_path / "whole.mkv", tmp_path / "parts.mkv")
    assert names_in(tmp_path) == ["in.mkv", "parts.mkv", "whole.mkv"]


def test_an_interlaced_video_with_deflicker_is_the_same_in_segments(tmp_path: Path) -> None:
    pictures = interlaced(film_pictures(144, (range(60, 76),)))
    source = make_footage(tmp_path / "in.mkv", pictures, Footage(field_order=2))
    whole, parts = in_both_ways(source, tmp_path, deflicker=True)
    assert whole.faces > 2
    assert facts(parts) == facts(whole)
    assert_equal(tmp_path / "whole.mkv", tmp_path / "parts.mkv")


FILM = Fraction(24000, 1001)
UNEVEN = [round(t * 512 * 1.13) + (t % 3) * 150 for t in range(110)]


@pytest.mark.parametrize(
    ("clip", "how"),
    [
        (Clip(frames=110, times=UNEVEN, sounds=("aac",), subtitles=True), {}),
        (Clip(frames=110, start=Fraction(2), sounds=("aac",), gop=40), {"start": 0.5, "end": 3.9}),
        (
            Clip(frames=110, rate=FILM, time_base=Fraction(1, 24000)),
            {"deinterlace": "bwdif"},
        ),
    ],
    ids=["uneven, with sound and subtitles", "a part of a video that starts late", "deinterlaced"],
)
def test_times_and_other_streams_are_the_same_in_segments(
    tmp_path: Path, clip: Clip, how: dict[str, Any]
) -> None:
    source = make_clip(tmp_path / "in.mkv", clip)
    whole, parts = in_both_ways(source, tmp_path, **how)
    assert facts(parts) == facts(whole)
    assert_equal(tmp_path / "whole.mkv", tmp_path / "parts.mkv")
    for kind in ("audio", "subtitle"):
        assert packets_of(tmp_path / "parts.mkv", kind) == packets_of(tmp_path / "whole.mkv", kind)


def test_damage_is_counted_once_and_looks_the_same_in_segments(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", Clip(frames=110, gop=12))
    zero_packets(source, [20, 21, 50, 75])
    whole, parts = in_both_ways(source, tmp_path)
    assert whole.lost_frames + whole.concealed_frames > 0
    assert facts(parts) == facts(whole)
    assert parts.concealed_frames == whole.concealed_frames
    assert_equal(tmp_path / "whole.mkv", tmp_path / "parts.mkv")


def test_a_video_that_cannot_be_joined_is_restored_without_segments_and_reported(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", 8, ())
    report = vidrestore.restore(source, tmp_path / "out.y4m", segment=1)
    why = "yuv4mpegpipe streams have no timestamps"
    assert f"in.mkv was restored in one go, not in segments: {why}" in report.warnings
    assert report.frames == 8
