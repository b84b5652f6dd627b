"""Flags of pictures are written, also for input from a pipe and for output as pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import vidrestore
from tests.support.clips import Clip, make_clip, packets_of
from tests.support.footage import Footage, interlaced, make_footage, panned
from tests.support.hdr_clips import MASTERED, mastered_clip
from tests.support.standard_streams import stdin_of, stdout_into
from vidrestore.settings import make_settings
from vidrestore.types import Frame, Orientation
from vidrestore.video import ffmpeg_pipeline, probe, read_frames
from vidrestore.video.reading.look import look_at

TURNS = [(turn, mirrored) for mirrored in (False, True) for turn in (0, 90, 180, 270)]
BOTTOM_FIRST = Footage(field_order=3, colour=(2, 2, 2, 1))


def combed() -> list[NDArray[Any]]:
    return interlaced(panned(20), top_first=False)


def frames_of(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


def assert_same_pictures(result: Path, original: Path) -> None:
    for a, b in zip(frames_of(result), frames_of(original), strict=True):
        for plane, expected in zip(a.planes, b.planes, strict=True):
            np.testing.assert_array_equal(plane, expected)


def look(path: Path) -> NDArray[Any]:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture)


@pytest.mark.parametrize(("container", "expected_text"), [("y4m", []), ("nut", ["the order of fields"])])
def test_a_y4m_pipe_states_the_field_order_and_a_nut_pipe_gives_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, expected_text: list[str]
) -> None:
    source = make_footage(tmp_path / "in.mkv", combed(), BOTTOM_FIRST)
    with stdout_into(tmp_path / "out", monkeypatch):
        warnings = vidrestore.restore(source, "-", container=container, strength=0).warnings
    assert len(warnings) == len(expected_text)
    assert all(words in warning for words, warning in zip(expected_text, warnings, strict=True))
    assert probe(tmp_path / "out").field_order == ("bottom" if container == "y4m" else "progressive")
    assert_same_pictures(tmp_path / "out", source)


@pytest.mark.parametrize(("deinterlace", "order"), [("auto", "bottom"), ("bwdif", "progressive")])
def test_interlaced_video_from_a_pipe_is_known_by_its_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deinterlace: str, order: str
) -> None:
    source, piped = make_footage(tmp_path / "in.mkv", combed(), BOTTOM_FIRST), tmp_path / "piped.y4m"
    vidrestore.restore(source, piped, strength=0)
    original = {"codec": "ffv1", "deinterlace": deinterlace, "strength": 0}
    with stdin_of(piped.read_bytes(), monkeypatch):
        vidrestore.restore("-", tmp_path / "out.mkv", **original)
    vidrestore.restore(source, tmp_path / "whole.mkv", **original)
    assert probe(tmp_path / "out.mkv").field_order == order
    assert_same_pictures(tmp_path / "out.mkv", tmp_path / "whole.mkv")


def test_hdr_metadata_and_colour_from_a_pipe_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = mastered_clip(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    with stdin_of(source.read_bytes(), monkeypatch):
        assert vidrestore.restore("-", output, preset="ultrafast").warnings == ()
    assert look_at(output).side_data.hdr == MASTERED
    assert probe(output).colour == probe(source).colour


def test_inspect_names_the_fields_of_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_footage(tmp_path / "in.mkv", combed(), BOTTOM_FIRST)
    with stdin_of(source.read_bytes(), monkeypatch):
        found = vidrestore.inspect("-")
    assert (found.field_order, found.telecined, found.frames) == ("bottom", False, 10)


def test_subtitles_from_a_pipe_are_not_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    source = make_clip(tmp_path / "in.mp4", Clip(others=("mov_text",), container_options=options))
    vidrestore.restore(source, tmp_path / "whole.mp4")
    with stdin_of(source.read_bytes(), monkeypatch):
        vidrestore.restore("-", tmp_path / "piped.mp4")
    whole, piped = (packets_of(tmp_path / name, "subtitle") for name in ("whole.mp4", "piped.mp4"))
    assert whole
    assert piped == whole


@pytest.mark.parametrize(
    ("turn", "mirrored", "kind", "compare"),
    [(*turned, kind, "none") for turned in TURNS for kind in ("png", "exr")]
    + [(90, False, "png", "side-by-side"), (180, True, "exr", "side-by-side")],
)
def test_turned_video_becomes_pictures_as_it_is_shown(
    tmp_path: Path, turn: int, mirrored: bool, kind: str, compare: str
) -> None:
    for name, footage in (
        ("upright", Footage(pixel_format="bgr0", colour=(0, 1, 1, 2))),
        ("turned", Footage(pixel_format="bgr0", colour=(0, 1, 1, 2), rotation=turn, mirrored=mirrored)),
    ):
        source = make_footage(tmp_path / f"{name}.mkv", panned(2), footage)
        vidrestore.restore(source, tmp_path / f"{name}%d.{kind}", strength=0, compare=compare)
    assert probe(tmp_path / "turned.mkv").orientation == Orientation(turn=turn, mirrored=mirrored)
    for number in (1, 2):
        shown = look(tmp_path / f"upright{number}.{kind}")
        np.testing.assert_array_equal(look(tmp_path / f"turned{number}.{kind}"), shown)


def test_turned_yuv_video_becomes_jpeg_of_no_less_colour(tmp_path: Path) -> None:
    footage = Footage(pixel_format="yuv422p", rotation=90)
    source = make_footage(tmp_path / "in.mkv", panned(1), footage)
    vidrestore.restore(source, tmp_path / "out.jpg", strength=0)
    info = probe(tmp_path / "out.jpg")
    assert (info.width, info.height, info.pixel_format.name) == (140, 128, "yuv444p")


@pytest.mark.parametrize(
    ("kind", "expected_text"),
    [
        ("png", []),
        ("exr", ["pixel aspect 16:15"]),
        ("tif", ["colour (matrix 9, primaries 9, transfer 16)"]),
        ("jp2", ["pixel aspect 16:15, the colour (matrix 9, primaries 9, transfer 16)"]),
    ],
)
def test_properties_that_pictures_cannot_state_are_one_warning(
    tmp_path: Path, kind: str, expected_text: list[str]
) -> None:
    looks: dict[str, Any] = {"pixel_aspect": Fraction(16, 15), "colour": (9, 9, 16, 1)}
    source = make_clip(tmp_path / "in.mp4", Clip(frames=1, pixel_format="yuv422p10le", **looks))
    warnings = vidrestore.restore(source, tmp_path / f"out.{kind}").warnings
    assert len(warnings) == len(expected_text)
    assert all(words in warning for words, warning in zip(expected_text, warnings, strict=True))


@pytest.mark.parametrize("kind", ["png", "exr"])
def test_hdr10_metadata_that_pictures_cannot_hold_gives_a_warning(tmp_path: Path, kind: str) -> None:
    source = mastered_clip(tmp_path / "in.mp4")
    (warning,) = vidrestore.restore(source, tmp_path / f"%d.{kind}").warnings
    assert "HDR10 metadata" in warning


def test_diffuse_white_of_hdr_becomes_one_in_linear_light(tmp_path: Path) -> None:
    """203 cd/m2 has the code 0.5807 in PQ, 1000 cd/m2 0.7518 (ITU-R BT.2408)."""
    ramp = np.repeat(np.array([0.5807, 0.7518]), 48).reshape(1, 96, 1) * np.ones((64, 1, 3))
    picture = np.rint(ramp * 65535).astype(np.uint16)
    footage = Footage(pixel_format="yuv444p12le", colour=(9, 9, 16, 1))
    source = make_footage(tmp_path / "in.mkv", [picture], footage)
    vidrestore.restore(source, tmp_path / "out.exr")
    light = look(tmp_path / "out.exr")
    np.testing.assert_allclose(light[:, :40], 1.0, rtol=0.03)  # swscale made the codes
    np.testing.assert_allclose(light[:, 56:], 1000 / 203, rtol=0.03)


def test_interlaced_pictures_of_a_sequence_are_detected_and_stay_unchanged(tmp_path: Path) -> None:
    for number, picture in enumerate(combed(), start=1):
        assert cv2.imwrite(str(tmp_path / f"in{number}.png"), picture)
    unflagged, unsaid = vidrestore.restore(tmp_path / "in%d.png", tmp_path / "out%d.png", strength=0).warnings
    assert "although its metadata does not say so" in unflagged
    assert "the field order" in unsaid
    for number in range(1, 7):
        np.testing.assert_array_equal(look(tmp_path / f"out{number}.png"), look(tmp_path / f"in{number}.png"))


def test_linear_light_that_is_processed_by_fields_keeps_its_floats(tmp_path: Path) -> None:
    light = np.random.default_rng(0).random((64, 96, 3)).astype(np.float16).astype(np.float32) * 3
    half = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF]
    assert cv2.imwrite(str(tmp_path / "in1.exr"), light, half)
    vidrestore.restore(tmp_path / "in%d.exr", tmp_path / "out%d.exr", deinterlace="keep")
    np.testing.assert_array_equal(look(tmp_path / "out1.exr"), look(tmp_path / "in1.exr"))


def test_interlaced_mpeg2_stays_interlaced_mpeg2(tmp_path: Path) -> None:
    footage = Footage(codec="mpeg2video", field_order=2, options={"qscale": "2"})
    source = make_footage(tmp_path / "in.ts", interlaced(panned(20)), footage)
    vidrestore.restore(source, tmp_path / "out.ts", strength=0)
    info = probe(tmp_path / "out.ts")
    assert (info.codec, info.field_order) == ("mpeg2video", "top")


def test_printed_ffmpeg_lines_state_the_field_order_and_the_mirroring(tmp_path: Path) -> None:
    footage = Footage(field_order=3, mirrored=True, pixel_aspect=Fraction(16, 15))
    source = make_footage(tmp_path / "in.mkv", combed(), footage)
    text = ffmpeg_pipeline(source, tmp_path / "o.mp4", make_settings(codec="h264"), [])
    decode, restore, encode = text.split(" |\n")
    assert "-noautorotate" in decode
    assert restore.endswith("--deinterlace keep")
    assert "field_mode=bff" in encode
    assert "-display_hflip" in encode
    assert "+ildct+ilme" in encode
