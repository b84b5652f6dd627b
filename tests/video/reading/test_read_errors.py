"""A disk read error is reported by every demuxer, and not taken for the end of the file or for damage."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.bad_sector import make_bad_here
from tests.support.clips import Clip, make_clip, truncate
from tests.support.fingerprints import fingerprint_of
from vidrestore.errors import ReadError
from vidrestore.types import Frame
from vidrestore.video import open_input, probe, read_frames, reread_frames
from vidrestore.video.reading import demuxer

CLIP = Clip(frames=100, size=(320, 240), gop=20)
FINE, COARSE = replace(CLIP, time_base=Fraction(1, 90000)), replace(CLIP, time_base=Fraction(1, 1000))
STEADY = replace(CLIP, time_base=Fraction(1, 25))
CLIPS = {
    "mp4": CLIP,
    "mov": replace(CLIP, codec="mjpeg", pixel_format="yuvj420p"),
    "mkv": replace(COARSE, sounds=("aac",)),
    "webm": replace(COARSE, codec="libvpx"),
    "ts": replace(FINE, sounds=("aac",)),
    "mpg": replace(STEADY, codec="mpeg2video"),
    "avi": replace(STEADY, codec="mpeg4"),
    "mxf": replace(STEADY, codec="mpeg2video"),
    "flv": COARSE,
    "nut": replace(COARSE, codec="ffv1"),
    "y4m": replace(STEADY, codec="wrapped_avframe"),
    "h264": STEADY,
}
ERROR = r"cannot be read: Input/output error; check the disk"


def frames_of(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


@pytest.mark.parametrize("kind", CLIPS)
def test_a_bad_sector_is_not_taken_for_the_end_of_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = make_clip(tmp_path / f"in.{kind}", CLIPS[kind])
    assert len(frames_of(path)) == 100
    for share in (0.0, 0.3, 0.5, 0.77, 0.9):
        make_bad_here(monkeypatch, path, share)
        with pytest.raises(ReadError, match=ERROR):
            frames_of(path)


def test_a_bad_sector_is_not_taken_for_the_end_of_the_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip(tmp_path / "in.mkv", CLIPS["mkv"])
    make_bad_here(monkeypatch, path, 0.5)
    with demuxer.open_container(path) as container, pytest.raises(ReadError, match=ERROR):
        list(demuxer.packets(container, container.streams.audio[0]))


def test_frames_before_a_bad_sector_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_clip(tmp_path / "in.nut", replace(CLIPS["nut"], sounds=()))
    info = probe(path)
    make_bad_here(monkeypatch, path, 0.5)
    assert len(list(read_frames(path, info, end=1.0))) == 25


def test_a_file_cut_short_is_no_error_of_reading(tmp_path: Path) -> None:
    for kind in ("y4m", "avi", "nut", "mkv"):  # some demuxers call this an error of reading as well
        path = truncate(make_clip(tmp_path / f"in.{kind}", CLIPS[kind]), 0.6)
        assert 40 < len(frames_of(path)) < 80


@pytest.mark.parametrize("extension", ["png", "exr"])
def test_the_unreadable_picture_of_a_sequence_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extension: str
) -> None:
    noise = np.random.default_rng(0).random((64, 64, 3), np.float32)
    for number in range(1, 6):
        picture = noise if extension == "exr" else np.round(noise * 255).astype(np.uint8)
        (tmp_path / f"{number}.{extension}").write_bytes(cv2.imencode(f".{extension}", picture)[1].tobytes())
    original = open_input(tmp_path / f"%d.{extension}")
    info = probe(original)
    hit = tmp_path / f"3.{extension}"
    if extension == "png":
        make_bad_here(monkeypatch, hit, 0.5)
    else:
        hit.unlink()
        hit.mkdir()  # OpenCV opens files by itself; this one cannot be read by anybody
    with pytest.raises(ReadError, match=rf"/3\.{extension} cannot be read"):
        list(read_frames(original, info))


def test_a_segment_is_read_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_clip(tmp_path / "in.nut", CLIPS["nut"])
    info, original = probe(path), open_input(path)
    wanted = [fingerprint_of(frame) for frame in read_frames(path, info)][40:60]
    make_bad_here(monkeypatch, path, 0.5, times=1)
    assert [fingerprint_of(frame) for frame in reread_frames(original, info, wanted)] == wanted
    make_bad_here(monkeypatch, path, 0.5)
    with pytest.raises(ReadError, match=ERROR):
        list(reread_frames(original, info, wanted))


def test_a_resumed_analysis_does_not_end_at_a_bad_sector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip(tmp_path / "in.nut", CLIPS["nut"])
    info, original = probe(path), open_input(path)
    before = [fingerprint_of(frame) for frame in read_frames(path, info)][10:12]
    make_bad_here(monkeypatch, path, 0.5, times=1)
    with pytest.raises(ReadError, match=ERROR):
        list(reread_frames(original, info, before, continue_after=True))
