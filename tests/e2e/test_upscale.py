"""`upscale`: away from faces each plane is the named filter of the input's, in every kind of video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.films import make_film
from tests.support.footage import SAMPLE, Footage, face_pictures, interlaced, make_footage, panned
from tests.support.hdr_clips import MASTERED, mastered_clip
from tests.support.jobs import assert_equal
from tests.support.photos import exif, look_16, save, save_16, smooth
from tests.support.resampled import lanczos_plane
from vidrestore.colour.upscale import upscale_frame, upscaled_info
from vidrestore.errors import OutputError, UsageError
from vidrestore.jobs.fingerprint import (
    FINGERPRINT_NAMES,
    check_same_job,
    settings_from_json,
    settings_to_json,
)
from vidrestore.settings import make_settings
from vidrestore.types import Frame, Orientation
from vidrestore.video import ffmpeg_pipeline, look_at, probe, read_frames
from vidrestore.video.interlacing import fields
from vidrestore.video.writing.codec_choice import rate_limit

pytestmark = pytest.mark.slow

ALONE: dict[str, Any] = {"device": "cpu", "faces": "none", "codec": "ffv1"}
"""Settings by which the output is the enlarged input alone."""


def read(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


def assert_enlarged(before: Frame, after: Frame, factor: int, *, chroma_at: tuple[float, float]) -> None:
    peak = (1 << before.format.bit_depth) - 1
    for index, (old, new) in enumerate(zip(before.planes, after.planes, strict=True)):
        is_chroma = before.format.family == "yuv" and index in (1, 2)
        across, down = chroma_at if is_chroma else (0.5, 0.5)
        np.testing.assert_array_equal(new, lanczos_plane(old, factor, peak, across=across, down=down))


@pytest.mark.parametrize(
    ("pixel_format", "chroma_at", "factor"),
    [
        ("yuv420p", (0.25, 0.5), 2),
        ("yuv422p10le", (0.25, 0.5), 2),
        ("yuv444p12le", (0.5, 0.5), 2),
        ("gbrp16le", (0.5, 0.5), 2),
        ("yuva420p", (0.25, 0.5), 2),
        ("gray10le", (0.5, 0.5), 2),
        ("yuv420p", (0.25, 0.5), 4),
    ],
)
def test_every_enlarged_plane_equals_lanczos_of_the_input_bit_for_bit(
    tmp_path: Path, pixel_format: str, chroma_at: tuple[float, float], factor: int
) -> None:
    colour = (0, 1, 1, 2) if pixel_format.startswith("gbr") else (1, 1, 1, 1)
    footage = Footage(pixel_format=pixel_format, colour=colour)
    source = make_footage(tmp_path / "in.mkv", panned(2), footage)
    vidrestore.restore(source, tmp_path / "out.mkv", upscale=factor, **ALONE)
    before, after = read(source), read(tmp_path / "out.mkv")
    assert len(before) == len(after) == 2
    for old, new in zip(before, after, strict=True):
        assert_enlarged(old, new, factor, chroma_at=chroma_at)


def test_an_enlarged_video_keeps_times_sound_rotation_aspect_and_colour(tmp_path: Path) -> None:
    clip = Clip(
        frames=6,
        sounds=("aac",),
        rotation=90,
        pixel_aspect=Fraction(16, 15),
        colour=(5, 5, 6, 1),
        times=(0, 700, 900, 1500, 4000, 4100),
        time_base=Fraction(1, 1000),
    )
    source, output = make_clip(tmp_path / "in.mp4", clip), tmp_path / "out.mp4"
    vidrestore.restore(source, output, upscale=2, faces="none", device="cpu", preset="ultrafast")
    before, after = probe(source), probe(output)
    assert (after.width, after.height) == (2 * before.width, 2 * before.height)
    assert after.orientation == before.orientation == Orientation(turn=90)
    assert (after.pixel_aspect, after.colour) == (Fraction(16, 15), before.colour)
    assert [f.pts for f in read(output)] == [f.pts for f in read(source)]
    with av.open(str(output)) as container:
        assert len(container.streams.audio) == 1


def test_an_enlarged_video_keeps_its_hdr_metadata(tmp_path: Path) -> None:
    source, output = mastered_clip(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    vidrestore.restore(source, output, upscale=2, device="cpu", faces="none", preset="ultrafast")
    assert look_at(output).side_data.hdr == MASTERED
    assert probe(output).colour == probe(source).colour


@pytest.mark.parametrize("top_first", [True, False])
def test_each_field_of_an_interlaced_video_is_completed_and_enlarged(tmp_path: Path, top_first: bool) -> None:
    """The output's lines of a field are those of the field's picture by bwdif, enlarged."""
    woven = interlaced(panned(8), top_first=top_first)
    source = make_footage(tmp_path / "in.mkv", woven, Footage(field_order=2 if top_first else 3))
    vidrestore.restore(source, tmp_path / "out.mkv", upscale=2, **ALONE)
    order = "top" if top_first else "bottom"
    assert probe(tmp_path / "out.mkv").field_order == order
    moments = list(fields.split(read(source), order))
    for number, frame in enumerate(read(tmp_path / "out.mkv")):
        for is_second, moment in enumerate(moments[2 * number : 2 * number + 2]):
            rows = slice(is_second if top_first else 1 - is_second, None, 2)
            for plane, own in zip(frame.planes, upscale_frame(moment, 2).planes, strict=True):
                np.testing.assert_array_equal(plane[rows], own[rows])


def test_the_limit_of_the_bit_rate_per_pixel_stays_the_same_when_enlarging(tmp_path: Path) -> None:
    info = probe(SAMPLE)
    assert info.bit_rate
    limit, large = rate_limit(info), rate_limit(upscaled_info(info, 2))
    assert limit is not None
    assert large is not None
    assert abs(large - 4 * limit) <= 2


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_photo_of_16_bits(tmp_path: Path, kind: str) -> None:
    samples = smooth(3, "uint16")
    source, output = save_16(tmp_path / f"in.{kind}", samples), tmp_path / f"out.{kind}"
    vidrestore.restore(source, output, upscale=2, device="cpu", faces="none")
    expected = np.stack([lanczos_plane(samples[..., c], 2, 65535) for c in range(3)], axis=-1)
    np.testing.assert_array_equal(look_16(output), expected)


def test_a_grey_photo_with_transparency(tmp_path: Path) -> None:
    samples = smooth(2)
    Image.fromarray(samples, "LA").save(tmp_path / "in.png")
    vidrestore.restore(tmp_path / "in.png", tmp_path / "out.png", upscale=2, device="cpu", faces="none")
    with Image.open(tmp_path / "out.png") as opened:
        large = np.asarray(opened.convert("LA"))
    for channel in range(2):
        np.testing.assert_array_equal(large[..., channel], lanczos_plane(samples[..., channel], 2, 255))


def test_a_jpeg_keeps_its_tags_and_states_its_new_size(tmp_path: Path) -> None:
    block = Image.Exif()
    block.load(exif(6))
    block.get_ifd(0x8769)[0xA002], block.get_ifd(0x8769)[0xA003] = 97, 67
    source = save(tmp_path / "in.jpg", smooth(3), exif=block.tobytes())
    vidrestore.restore(source, tmp_path / "out.jpg", upscale=2, device="cpu", faces="none")
    with Image.open(tmp_path / "out.jpg") as opened:
        assert opened.size == (194, 134)
        tags = opened.getexif()
        assert (tags[0x0112], tags[0x010F]) == (6, "Camera")
        assert (tags.get_ifd(0x8769)[0xA002], tags.get_ifd(0x8769)[0xA003]) == (194, 134)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("in.mkv", {"upscale": 3}, "upscale must be 1, 2 or 4, got 3"),
        ("in.mkv", {"upscale": 2, "aligned": True}, "aligned faces: upscale"),
        ("in.mkv", {"upscale": 4, "max_pixels": 30_000}, "the output would be 480 x 512 pixels"),
        ("in.exr", {"upscale": 2}, "OpenEXR"),
    ],
)
def test_an_impossible_enlargement_gives_one_error_message(
    tmp_path: Path, name: str, settings: dict[str, Any], words: str
) -> None:
    make_footage(tmp_path / "in.mkv", panned(1, step=24))
    if name == "in.exr":
        vidrestore.restore(tmp_path / "in.mkv", tmp_path / name, faces="none", device="cpu")
    if name == "in.exr":
        settings = settings | {"fps": 25}
    with pytest.raises(UsageError, match=words) as caught:
        vidrestore.restore(tmp_path / name, tmp_path / "out.mkv", **settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.mkv").exists()


def test_a_photo_enlarged_beyond_the_limit_of_its_format_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 40), (90, 120, 30)).save(tmp_path / "in.webp")
    with pytest.raises(OutputError, match="at most 16383 pixels a side, and this one has 20000 x 160"):
        vidrestore.restore(tmp_path / "in.webp", tmp_path / "out.webp", upscale=4, device="cpu")
    assert not (tmp_path / "out.webp").exists()


def test_frames_in_memory_are_not_enlarged() -> None:
    with pytest.raises(UsageError, match="upscale: for files only"):
        vidrestore.Restorer(upscale=2)  # type: ignore[call-arg]


def test_a_face_is_restored_in_the_larger_frame_and_nothing_else_changes(tmp_path: Path) -> None:
    source = make_footage(tmp_path / "in.mkv", face_pictures(3))
    report = vidrestore.restore(
        source, tmp_path / "out.mkv", upscale=2, codec="ffv1", device="cpu", mask=str(tmp_path / "mask.mkv")
    )
    assert (report.faces, report.tracks) == (3, 1)
    masks = [frame.planes[0] for frame in read(tmp_path / "mask.mkv")]
    for old, new, mask in zip(read(source), read(tmp_path / "out.mkv"), masks, strict=True):
        plain = upscale_frame(old, 2).planes
        assert mask.shape == new.planes[0].shape == plain[0].shape
        changed = new.planes[0] != plain[0]
        assert changed.mean() > 0.05
        assert not changed[mask == 0].any()
        rows, columns = np.nonzero(changed)
        middle = (np.median(columns), np.median(rows))
        assert np.hypot(middle[0] - 131, middle[1] - 132) < 30  # of FACE, twice as large


def test_an_enlarged_video_is_the_same_with_and_without_segments(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", 40, (range(26, 36),))
    how: dict[str, Any] = {"upscale": 2, "codec": "ffv1", "device": "cpu"}
    whole = vidrestore.restore(source, tmp_path / "whole.mkv", segment=0, **how)
    parts = vidrestore.restore(source, tmp_path / "parts.mkv", segment=1, **how)
    assert whole.faces == parts.faces > 4
    assert_equal(tmp_path / "whole.mkv", tmp_path / "parts.mkv")


def test_a_run_is_not_resumed_with_another_upscale_factor() -> None:
    once, twice = settings_to_json(make_settings()), settings_to_json(make_settings(upscale=2))
    recorded = dict.fromkeys(FINGERPRINT_NAMES, "") | {"settings": once}
    with pytest.raises(UsageError, match="with upscale 1, not 2"):
        check_same_job(recorded, recorded | {"settings": twice}, Path("out.mkv"))
    assert settings_from_json(twice).upscale == 2


def test_a_preview_shows_the_frame_of_the_run(tmp_path: Path) -> None:
    source = make_footage(tmp_path / "in.mkv", face_pictures(2))
    vidrestore.restore(source, tmp_path / "out.mkv", upscale=2, codec="ffv1", device="cpu")
    (preview,) = vidrestore.preview(source, [0.0], upscale=2, device="cpu")
    first = read(tmp_path / "out.mkv")[0]
    for shown, written in zip(preview.cells[0].after.planes, first.planes, strict=True):
        np.testing.assert_array_equal(shown, written)
    plain = upscale_frame(read(source)[0], 2)
    np.testing.assert_array_equal(preview.before.planes[0], plain.planes[0])


def test_the_lines_of_ffmpeg_are_for_the_larger_video(tmp_path: Path) -> None:
    source = make_footage(tmp_path / "in.mkv", panned(1), Footage(pixel_aspect=Fraction(16, 15)))
    settings = make_settings(upscale=2, codec="h264")
    lines = ffmpeg_pipeline(source, tmp_path / "out.mp4", settings, ["--upscale", "2"])
    assert "--upscale 2" in lines
