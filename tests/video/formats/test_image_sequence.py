"""Sequences of numbered pictures in and out: numbers, samples, gaps, rates; never half of a sequence."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip, read_number
from tests.support.picture_sequences import (
    noise_pictures,
    read_samples,
    write_sequence,
)
from vidrestore.errors import InputError, OutputError, UsageError
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.formats.image_sequence import find_pictures, is_pattern, parse_pattern

SEQUENCES = {
    "8 bit": ("%05d.png", "uint8", 3),
    "16 bit": ("%04d.png", "uint16", 3),
    "grey": ("a%d.png", "uint8", 1),
    "grey 16": ("%04d.png", "uint16", 1),
    "alpha": ("%04d.png", "uint8", 4),
    "tif": ("shot.%04d.tif", "uint8", 3),
    "tif 16": ("%04d.tif", "uint16", 3),
    "tiff grey 16": ("%04d.tiff", "uint16", 1),
    "bmp": ("%04d.bmp", "uint8", 3),
    "exr": ("%04d.exr", "half", 3),
    "exr alpha": ("%04d.exr", "half", 4),
}


@pytest.mark.parametrize("kind", SEQUENCES)
@pytest.mark.parametrize("first", [0, 1001])
def test_a_sequence_comes_back_with_its_numbers_depth_and_samples(
    tmp_path: Path, kind: str, first: int
) -> None:
    name, depth, channels = SEQUENCES[kind]
    numbers = range(first, first + 3)
    source = write_sequence(tmp_path / "in", name, noise_pictures(depth, channels), numbers)
    (tmp_path / "out").mkdir()
    report = vidrestore.restore(source, tmp_path / "out" / name)
    assert report.frames == 3
    assert report.warnings == ()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(name % n for n in numbers)
    for number in numbers:
        original, result = (
            read_samples(tmp_path / "in" / (name % number)),
            read_samples(tmp_path / "out" / (name % number)),
        )
        assert result.dtype == original.dtype
        np.testing.assert_array_equal(result, original)


@pytest.mark.parametrize(
    ("fps", "rate"),
    [("24000/1001", Fraction(24000, 1001)), ("29.97", Fraction(30000, 1001)), (24, Fraction(24))],
)
def test_a_sequence_becomes_a_video_of_its_rate(tmp_path: Path, fps: Any, rate: Fraction) -> None:
    source = write_sequence(tmp_path / "in", "%04d.png", noise_pictures("uint8", 3), range(86400, 86410))
    vidrestore.restore(source, tmp_path / "out.mov", fps=fps)
    info = probe(tmp_path / "out.mov")
    frames = list(read_frames(tmp_path / "out.mov", info))
    assert (info.frame_rate, info.codec) == (rate, "png")
    assert [frame.pts * frame.time_base for frame in frames] == [n / rate for n in range(10)]
    for number, frame in enumerate(frames):
        blue, green, red = cv2.split(read_samples(tmp_path / "in" / f"{86400 + number:04}.png"))
        for plane, expected in zip(frame.planes, (green, blue, red), strict=True):
            np.testing.assert_array_equal(plane, expected)


@pytest.mark.parametrize("name", ["%04d.png", "%04d.tif", "%04d.exr"])
def test_deep_pictures_become_prores_with_a_warning(tmp_path: Path, name: str) -> None:
    depth = "half" if name.endswith("exr") else "uint16"
    source = write_sequence(tmp_path / "in", name, noise_pictures(depth, 3), range(1, 4))
    (warning,) = vidrestore.restore(source, tmp_path / "out.mov", fps=24, codec="prores").warnings
    assert "converted to yuv444p10le" in warning
    assert probe(tmp_path / "out.mov").profile == "4444"


def test_a_video_needs_a_rate_and_pictures_do_not(tmp_path: Path) -> None:
    source = write_sequence(tmp_path / "in", "%04d.png", noise_pictures("uint8", 3), range(1, 4))
    with pytest.raises(UsageError, match="--fps"):
        vidrestore.restore(source, tmp_path / "out.mp4")


@pytest.mark.parametrize(("kind", "depth"), [("png", "uint8"), ("tif", "uint8"), ("jpg", "uint8")])
def test_a_video_becomes_pictures_from_number_one(tmp_path: Path, kind: str, depth: str) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=4, sounds=("aac",)))
    (tmp_path / "out").mkdir()
    report = vidrestore.restore(source, tmp_path / "out" / f"%03d.{kind}")
    (warning,) = report.warnings
    assert "audio stream 1" in warning
    assert "a picture cannot hold it" in warning
    pictures = sorted((tmp_path / "out").iterdir())
    assert [p.name for p in pictures] == [f"00{n}.{kind}" for n in range(1, 5)]
    assert [read_number(read_samples(p)[..., 1]) for p in pictures] == [0, 1, 2, 3]
    assert read_samples(pictures[0]).dtype == depth


def test_ten_bits_become_sixteen_in_png_and_are_named_in_jpeg(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=2, pixel_format="yuv422p10le"))
    vidrestore.restore(source, tmp_path / "%d.png")
    assert read_samples(tmp_path / "1.png").dtype == np.uint16
    (warning,) = vidrestore.restore(source, tmp_path / "%d.jpg").warnings
    assert "more than 8 bits a sample (the picture had 10)" in warning


def test_a_part_of_a_sequence_keeps_its_numbers(tmp_path: Path) -> None:
    source = write_sequence(tmp_path / "in", "%04d.png", noise_pictures("uint8", 3), range(101, 151))
    (tmp_path / "out").mkdir()
    vidrestore.restore(source, tmp_path / "out" / "%04d.png", fps=25, start=1.0, end=1.12)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["0126.png", "0127.png", "0128.png"]
    np.testing.assert_array_equal(
        read_samples(tmp_path / "out/0126.png"), read_samples(tmp_path / "in/0126.png")
    )


@pytest.mark.parametrize("name", ["%d.png", "%d.exr", "%d.bmp"])
@pytest.mark.parametrize("start", [0.2, 0.2000000001, 0.1999999999, 0.21, 0.05, 0.0])
def test_each_picture_of_a_part_keeps_its_number(tmp_path: Path, name: str, start: float) -> None:
    """Also where the start is no number of frames, as most times are not in floating point."""

    def flat(number: int) -> Any:
        return np.full((48, 64, 3), number / 16 if name.endswith("exr") else 16 * number, dtype)

    dtype: Any = np.float32 if name.endswith("exr") else np.uint8
    source = write_sequence(tmp_path / "in", name, flat, range(1, 10))
    (tmp_path / "out").mkdir()
    vidrestore.restore(source, tmp_path / "out" / name, fps=25, start=start, faces="none")
    results = sorted((tmp_path / "out").iterdir())
    assert results
    for result in results:
        np.testing.assert_array_equal(read_samples(result), read_samples(tmp_path / "in" / result.name))


@pytest.mark.parametrize("missing", [[3], [2, 5, 6]])
def test_a_gap_is_named(tmp_path: Path, missing: list[int]) -> None:
    source = write_sequence(tmp_path / "in", "%03d.png", noise_pictures("uint8", 3), range(1, 9))
    for number in missing:
        (tmp_path / "in" / f"{number:03}.png").unlink()
    with pytest.raises(InputError, match=f"gap: 00{missing[0]}.png") as raised:
        vidrestore.restore(source, tmp_path / "out.mp4", fps=24)
    assert ("and 2 more" in str(raised.value)) is (len(missing) == 3)


@pytest.mark.parametrize("name", ["%02d.png", "%d.jpg", "%d.exr"])
def test_a_picture_of_another_size_is_named(tmp_path: Path, name: str) -> None:
    depth = "half" if name.endswith("exr") else "uint8"
    source = write_sequence(tmp_path / "in", name, noise_pictures(depth, 3), range(7, 13))
    odd = source.parent / (name % 10)
    assert cv2.imwrite(str(odd), noise_pictures(depth, 3)(10)[:-2])
    output = tmp_path / "out"
    output.mkdir()
    with pytest.raises(InputError, match=f"{odd.name} is 96 x 62 pixels, but the first picture is 96 x 64"):
        vidrestore.restore(source, output / name)
    assert list(output.iterdir()) == []
    with pytest.raises(InputError, match=odd.name):
        list(read_frames(original := open_input(source), probe(original), start=0.1))
    assert vidrestore.restore(source, output / name, end=0.1).frames == 3  # what is not asked for is not seen


def test_names_of_sequences_are_read_as_printf_patterns(tmp_path: Path) -> None:
    for name in ("7.png", "007.png", "0010.png", "x7.png"):
        (tmp_path / name).touch()
    (tmp_path / "100%d.png").touch()
    assert is_pattern(tmp_path / "%d.png")
    assert not is_pattern(tmp_path / "100%d.png")  # there is a file of that very name
    assert not is_pattern(tmp_path / "%s.png")
    assert find_pictures(parse_pattern(tmp_path / "%d.png")) == range(7, 8)
    assert find_pictures(parse_pattern(tmp_path / "%03d.png")) == range(7, 8)
    assert find_pictures(parse_pattern(tmp_path / "%04d.png")) == range(10, 11)
    assert parse_pattern(Path("50%/%04d.png")).for_ffmpeg() == "50%%/%04d.png"


@pytest.mark.parametrize("folder", ["50%", "a:b", "%d"])
def test_a_sequence_may_be_in_a_folder_with_any_name(tmp_path: Path, folder: str) -> None:
    source = write_sequence(tmp_path / folder, "%04d.png", noise_pictures("uint8", 3), range(1, 3))
    vidrestore.restore(source, tmp_path / folder / "new-%d.png")
    np.testing.assert_array_equal(
        read_samples(tmp_path / folder / "new-1.png"), read_samples(tmp_path / folder / "0001.png")
    )


@pytest.mark.parametrize("name", ["%05d.png", "%05d.exr", "%05d.jpg"])
def test_a_folder_in_the_working_directory_is_no_protocol(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sequence(Path("12:30"), name, noise_pictures("half" if "exr" in name else "uint8", 3), range(1, 3))
    Path("out:1").mkdir()
    report = vidrestore.restore(Path("12:30") / name, Path("out:1/%d.png"), faces="none")
    assert report.frames == 2
    assert sorted(path.name for path in Path("out:1").iterdir()) == ["1.png", "2.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="names that are not valid Unicode")
def test_a_folder_whose_name_is_no_unicode_is_no_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path(os.fsdecode(b"1:caf\xe9"))
    write_sequence(Path("in"), "%d.png", noise_pictures("uint8", 3), range(1, 3)).parent.rename(folder)
    opened = open_input(folder / "%d.png")
    assert len(list(read_frames(opened, probe(opened)))) == 2


LARGEST = 2**31 - 2


@pytest.mark.parametrize("name", ["%d.png", "%d.exr", "%d.jpg"])
def test_numbers_are_read_up_to_the_largest_and_refused_beyond(tmp_path: Path, name: str) -> None:
    depth = "half" if "exr" in name else "uint8"
    source = write_sequence(tmp_path / "in", name, noise_pictures(depth, 3), range(LARGEST - 1, LARGEST + 1))
    (tmp_path / "out").mkdir()
    vidrestore.restore(source, tmp_path / "out" / name, faces="none")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        name % (LARGEST - 1),
        name % LARGEST,
    ]
    (tmp_path / "in" / (name % LARGEST)).rename(tmp_path / "in" / (name % (LARGEST + 1)))
    for number in (LARGEST + 1, 20260102030405):
        with pytest.raises(InputError, match=rf"{number}\.\w+ has a larger number than {LARGEST}"):
            open_input(source)
        (tmp_path / "in" / (name % number)).rename(tmp_path / "in" / (name % 20260102030405))


def test_a_large_gap_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "1.png").touch()
    (tmp_path / "2147483000.png").touch()
    with pytest.raises(InputError, match=r"gap: 2\.png and 2147482997 more"):
        find_pictures(parse_pattern(tmp_path / "%d.png"))


@pytest.mark.parametrize(
    ("output", "expected_text"),
    [
        ("in/%03d.png", "is the input itself"),
        ("in/../in/%03d.png", "is the input itself"),
        ("in/002.png", "is a picture of the input"),
        ("there/%d.png", "exists already"),
        ("nowhere/%d.png", "does not exist"),
        ("%d.xyz", "not a known kind of picture"),
    ],
)
def test_an_output_that_would_destroy_something_is_refused(
    tmp_path: Path, output: str, expected_text: str
) -> None:
    source = write_sequence(tmp_path / "in", "%03d.png", noise_pictures("uint8", 3), range(1, 4))
    write_sequence(tmp_path / "there", "%d.png", noise_pictures("uint8", 3), range(2, 3))
    overwrite = "exists" not in expected_text
    with pytest.raises(OutputError, match=expected_text):
        vidrestore.restore(source, tmp_path / output, overwrite=overwrite)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "there"]


def test_pictures_appear_when_the_last_is_whole(tmp_path: Path) -> None:
    source = write_sequence(tmp_path / "in", "%03d.png", noise_pictures("uint8", 3), range(1, 4))
    out = tmp_path / "out"
    write_sequence(out, "%03d.png", noise_pictures("uint8", 3), range(1, 2))
    old = read_samples(out / "001.png")
    (tmp_path / "in" / "003.png").write_bytes(b"this is no picture")
    with pytest.raises(vidrestore.VidrestoreError):
        vidrestore.restore(source, out / "%03d.png", overwrite=True, strict=True)
    assert [p.name for p in out.iterdir()] == ["001.png"]
    np.testing.assert_array_equal(read_samples(out / "001.png"), old)


def test_a_frame_rate_is_refused_for_a_video_that_states_its_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="states its own frame rate"):
        open_input(make_clip(tmp_path / "in.mp4"), fps=Fraction(25))
