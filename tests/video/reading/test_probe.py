"""What probe says of a file, and its error message for a file that is no video."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.clips import Clip, make_clip, make_sound, truncate
from vidrestore.errors import InputError, OutputError
from vidrestore.types import ColourTags
from vidrestore.video import VideoWriter, probe, read_frames


def test_a_plain_clip_is_described_as_it_was_made(tmp_path: Path) -> None:
    info = probe(make_clip(tmp_path / "clip.mp4", Clip(sounds=("aac", "ac3"))))
    assert (info.width, info.height, info.frame_count, info.codec) == (96, 64, 30, "h264")
    assert (info.frame_rate, info.time_base) == (Fraction(25), Fraction(1, 12800))
    assert info.duration == Fraction(6, 5)
    assert (info.pixel_format.name, info.rotation, info.interlaced) == ("yuv420p", 0, False)
    assert info.other_streams == ("audio", "audio")


def test_matroska_states_count_and_duration_in_its_tags(tmp_path: Path) -> None:
    info = probe(make_clip(tmp_path / "clip.mkv", Clip(sounds=("aac",))))
    assert (info.frame_count, info.duration) == (30, Fraction(6, 5))


def test_broadcast_rates_stay_rational(tmp_path: Path) -> None:
    clip = Clip(rate=Fraction(30000, 1001), time_base=Fraction(1, 30000))
    assert probe(make_clip(tmp_path / "clip.mp4", clip)).frame_rate == Fraction(30000, 1001)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_is_read_counter_clockwise(tmp_path: Path, degrees: int) -> None:
    assert probe(make_clip(tmp_path / "clip.mp4", Clip(rotation=degrees))).rotation == degrees


@pytest.mark.parametrize(("orientation", "degrees"), [(1, 0), (3, 180), (6, 270), (8, 90)])
def test_a_photograph_with_exif_is_read_and_turned_as_it_says(
    tmp_path: Path, orientation: int, degrees: int
) -> None:
    packed = cv2.imencode(".jpg", np.full((24, 32, 3), 90, np.uint8))[1].tobytes()
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    path = tmp_path / "photograph.jpg"
    path.write_bytes(packed[:2] + segment + packed[2:])
    info = probe(path)
    assert (info.width, info.height) == (32, 24)
    assert info.rotation == degrees
    assert len(list(read_frames(path, info))) == 1


def test_a_mirrored_picture_is_not_a_turned_one(tmp_path: Path) -> None:
    assert probe(make_clip(tmp_path / "clip.mp4", Clip(mirrored=True))).rotation == 0


def test_colour_pixel_aspect_and_depth_are_read(tmp_path: Path) -> None:
    clip = Clip(pixel_format="yuv422p10le", colour=(9, 9, 16, 2), pixel_aspect=Fraction(16, 15))
    info = probe(make_clip(tmp_path / "clip.mp4", clip))
    assert info.colour == ColourTags(matrix=9, primaries=9, transfer=16, full_range=True, siting=1)
    assert info.pixel_aspect == Fraction(16, 15)
    assert (info.pixel_format.bit_depth, info.pixel_format.chroma_shift) == (10, (1, 0))


def test_full_range_by_the_formats_name_alone_is_full_range(tmp_path: Path) -> None:
    info = probe(make_clip(tmp_path / "clip.mov", Clip(codec="mjpeg", pixel_format="yuvj420p")))
    assert (info.pixel_format.name, info.colour.full_range) == ("yuv420p", True)


def test_rgb_video_is_described_as_planar(tmp_path: Path) -> None:
    info = probe(make_clip(tmp_path / "clip.mkv", Clip(codec="ffv1", pixel_format="bgr0")))
    assert (info.pixel_format.name, info.pixel_format.family, info.colour.matrix) == ("gbrp", "rgb", 0)


def _missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def _folder(folder: Path) -> Path:
    return folder


def _empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def _text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("This is not a video.\n" * 100)
    return folder / "text.mp4"


def _plain_text(folder: Path) -> Path:
    (folder / "notes.txt").write_text("FFmpeg would play this as a terminal.\n" * 100)
    return folder / "notes.txt"


def _without_index(folder: Path) -> Path:
    return truncate(make_clip(folder / "cut.mp4"), 0.6)


def _sound_only(folder: Path) -> Path:
    return make_sound(folder / "sound.mp4")


@pytest.mark.parametrize(
    ("make", "expected_text"),
    [
        (_missing, "there is no file"),
        (_folder, "is a folder"),
        (_empty, "is empty"),
        (_text, "is not a video"),
        (_plain_text, "is not a video"),
        (_sound_only, "only sound"),
        (_without_index, "moov"),
    ],
)
def test_a_file_that_is_no_video_is_named_in_one_error_message(
    tmp_path: Path, make: Callable[[Path], Path], expected_text: str
) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError, match=expected_text) as raised:
        probe(path)
    assert path.name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_distinguished(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4")
    path.chmod(0)
    with pytest.raises(InputError, match="may not be read"):
        probe(path)


@pytest.mark.parametrize(
    ("matrix", "expected_text"), [(10, "constant luminance"), (14, "ICtCp"), (11, "2085"), (13, "constant")]
)
def test_unsupported_colour_matrices_are_refused_by_name(
    tmp_path: Path, matrix: int, expected_text: str
) -> None:
    clip = Clip(pixel_format="yuv420p10le", colour=(matrix, 9, 16, 1))
    with pytest.raises(InputError, match=expected_text) as raised:
        probe(make_clip(tmp_path / "clip.mp4", clip))
    assert "\n" not in str(raised.value)


def test_ycgco_is_read_and_written_again_but_not_as_rgb(tmp_path: Path) -> None:
    clip = Clip(frames=3, colour=(8, 1, 1, 1))
    path = make_clip(tmp_path / "clip.mp4", clip)
    assert probe(path).colour.matrix == 8
    with pytest.raises(OutputError, match=r"matrix 8 .*\.mkv"):
        VideoWriter(tmp_path / "out.mkv", probe(path), codec="libx264rgb")
    with VideoWriter(tmp_path / "out.mkv", probe(path)) as writer:
        for frame in read_frames(path, probe(path)):
            writer.write(frame)
    assert probe(tmp_path / "out.mkv").colour.matrix == 8


def test_a_tile_of_a_photo_is_not_taken_for_the_photo(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pixels = np.random.default_rng(1).integers(0, 255, (520, 700, 3), np.uint8)
    picture = pillow_heif.from_bytes(mode="RGB", size=(700, 520), data=pixels.tobytes())
    picture.save(tmp_path / "photo.heic", tile_size=256)
    assert (probe(tmp_path / "photo.heic").width, probe(tmp_path / "photo.heic").height) == (700, 520)
    (tmp_path / "photo.heic").rename(tmp_path / "photo.mp4")
    assert (probe(tmp_path / "photo.mp4").width, probe(tmp_path / "photo.mp4").height) == (700, 520)
