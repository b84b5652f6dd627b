"""Damaged input: what decodes is shown at its time, what does not is the frame before, and all is counted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.clips import Clip, frame_times, make_clip, read_number, truncate
from tests.support.damage import flip_bytes, noise, zero_packets
from vidrestore.errors import DamagedInputError
from vidrestore.types import Frame
from vidrestore.video import probe, read_frames

FINE, COARSE = Fraction(1, 12800), Fraction(1, 1000)
QUIET = {"x265-params": "log-level=none:pools=1"}
CLIP = Clip(frames=60, gop=20)


def _read(path: Path) -> tuple[list[Frame], int, int]:
    """Frames, how many were lost, how many concealed."""
    lost: list[int] = []
    concealed: list[int] = []
    frames = list(
        read_frames(
            path, probe(path), on_lost=lambda: lost.append(1), on_concealed=lambda: concealed.append(1)
        )
    )
    return frames, len(lost), len(concealed)


CODECS: dict[str, tuple[str, Clip]] = {
    "h264 mp4": ("clip.mp4", CLIP),
    "h264 mkv": ("clip.mkv", replace(CLIP, time_base=COARSE)),
    "hevc mkv": ("clip.mkv", replace(CLIP, codec="libx265", options=QUIET, time_base=COARSE)),
    "vp8 webm": ("clip.webm", replace(CLIP, codec="libvpx", time_base=COARSE)),
    "vp9 webm": ("clip.webm", replace(CLIP, codec="libvpx-vp9", time_base=COARSE)),
    "av1 mkv": ("clip.mkv", replace(CLIP, codec="libsvtav1", time_base=COARSE)),
    "mpeg4 avi": ("clip.avi", replace(CLIP, codec="mpeg4", time_base=Fraction(1, 25))),
    "mjpeg mov": ("clip.mov", replace(CLIP, codec="mjpeg", pixel_format="yuvj420p")),
}


@pytest.mark.parametrize("name", CODECS)
def test_a_packet_of_zeros_changes_neither_count_nor_times_of_frames(tmp_path: Path, name: str) -> None:
    file, clip = CODECS[name]
    path = make_clip(tmp_path / file, clip)
    whole, lost, concealed = _read(path)
    assert (len(whole), lost, concealed) == (60, 0, 0)
    frames, lost, _ = _read(zero_packets(path, [25]))
    assert [frame.pts for frame in frames] == [frame.pts for frame in whole]
    assert [frame.index for frame in frames] == list(range(60))
    assert 1 <= lost <= 10


def test_a_lost_frame_is_replaced_by_the_frame_before(tmp_path: Path) -> None:
    clip = Clip(frames=20, codec="mjpeg", pixel_format="yuvj420p")
    path = zero_packets(make_clip(tmp_path / "clip.mov", clip), [5, 6, 12, 19])
    frames, lost, _ = _read(path)
    shown = [read_number(frame.planes[0]) for frame in frames]
    assert shown == [n if n not in (5, 6, 12, 19) else {5: 4, 6: 4, 12: 11, 19: 18}[n] for n in range(20)]
    assert lost == 4


def test_frames_that_the_decoder_conceals_are_kept_and_counted(tmp_path: Path) -> None:
    frames, lost, concealed = _read(flip_bytes(make_clip(tmp_path / "clip.mp4", CLIP), [7, 8, 31]))
    assert (len(frames), lost, concealed) == (60, 0, 3)


def test_frames_whose_packets_are_missing_are_replaced_at_their_times(tmp_path: Path) -> None:
    clip = Clip(frames=200, gop=20, sounds=("aac",), time_base=Fraction(1, 90000))
    frames, lost, _ = _read(noise(make_clip(tmp_path / "clip.ts", clip), 0.5, 3000))
    steps = {later.pts - earlier.pts for earlier, later in pairwise(frames)}
    assert (len(frames), steps) == (200, {3600})
    assert lost > 0


def test_pauses_of_an_undamaged_video_are_no_lost_frames(tmp_path: Path) -> None:
    clip = Clip(times=(0, 40, 80, 1000, 1040, 3000), time_base=COARSE)
    frames, lost, _ = _read(make_clip(tmp_path / "clip.mkv", clip))
    assert [frame.pts for frame in frames] == frame_times(clip)
    assert lost == 0


def test_only_the_part_requested_is_counted(tmp_path: Path) -> None:
    path = zero_packets(make_clip(tmp_path / "clip.mov", replace(CODECS["mjpeg mov"][1])), [5, 40])
    lost: list[int] = []
    frames = list(read_frames(path, probe(path), start=1.0, end=2.0, on_lost=lambda: lost.append(1)))
    assert (len(frames), len(lost)) == (25, 1)


def _clip_of(frames: int, **how: Any) -> Clip:
    return Clip(frames=frames, codec="mjpeg", pixel_format="yuvj420p", size=(64, 64), **how)


@pytest.mark.parametrize(("frames", "hit", "share"), [(101, [30], 1 / 101), (50, [30], 1 / 50)])
def test_the_report_says_how_much_was_lost(tmp_path: Path, frames: int, hit: list[int], share: float) -> None:
    path = zero_packets(make_clip(tmp_path / "in.mov", _clip_of(frames)), hit)
    report = vidrestore.restore(path, tmp_path / "out.mov")
    assert (report.frames, report.lost_frames) == (frames, 1)
    assert report.damage == pytest.approx(share)
    assert report.warnings == (f"1 of {frames} frames could not be decoded",)


@pytest.mark.parametrize("how", ["lost", "concealed", "cut short"])
def test_strict_refuses_a_damaged_video_and_leaves_no_file(tmp_path: Path, how: str) -> None:
    if how == "lost":
        path = zero_packets(make_clip(tmp_path / "in.mov", _clip_of(20)), [10])
    elif how == "concealed":
        path = flip_bytes(make_clip(tmp_path / "in.mp4", CLIP), [31])
    else:
        clip = replace(CLIP, time_base=COARSE, sounds=("aac",))
        path = truncate(make_clip(tmp_path / "in.mkv", clip), 0.6)
    with pytest.raises(DamagedInputError, match="--strict"):
        vidrestore.restore(path, tmp_path / "out.mkv", strict=True)
    assert list(tmp_path.iterdir()) == [path]


def test_strict_accepts_an_undamaged_video(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mp4", Clip(frames=10, sounds=("aac",)))
    assert vidrestore.restore(path, tmp_path / "out.mp4", strict=True).damage == 0


def test_a_wrong_extension_does_no_harm(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mkv", Clip(time_base=COARSE)).rename(tmp_path / "clip.mp4")
    assert len(_read(path)[0]) == 30


@pytest.mark.parametrize(
    ("file", "clip"),
    [
        ("clip.mkv", Clip(times=(0, 40, 80, 2080, 2120), time_base=COARSE)),
        ("clip.mkv", Clip(times=(0, 40, 80, 2080, 2120), time_base=COARSE, sounds=("aac",))),
        ("clip.webm", Clip(codec="libvpx", time_base=COARSE, start=Fraction(3, 2))),
        ("clip.avi", Clip(codec="mpeg4", time_base=Fraction(1, 25))),
        ("clip.ts", Clip(time_base=Fraction(1, 90000), start=Fraction(7, 5), sounds=("aac",))),
        ("clip.nut", Clip(codec="ffv1", time_base=COARSE)),
    ],
)
def test_an_undamaged_video_has_no_lost_frames(tmp_path: Path, file: str, clip: Clip) -> None:
    """Few containers state a count, and a duration counts frames at a constant rate alone."""
    report = vidrestore.restore(make_clip(tmp_path / file, clip), tmp_path / "out.mkv")
    assert (report.lost_frames, report.damage) == (0, 0)


@pytest.mark.parametrize("sounds", [(), ("aac",)])
@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_a_truncated_video_is_reported(tmp_path: Path, kind: str, sounds: tuple[str, ...]) -> None:
    base = COARSE if kind == "mkv" else FINE
    options = {"movflags": "faststart"} if kind == "mp4" else {}
    clip = Clip(frames=100, time_base=base, sounds=sounds, container_options=options)
    path = truncate(make_clip(tmp_path / f"clip.{kind}", clip), 0.6)
    report = vidrestore.restore(path, tmp_path / f"out.{kind}")
    assert 20 < report.lost_frames < 60
    assert report.damage > 0.2
