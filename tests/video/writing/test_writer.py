"""What goes in comes out: samples, timestamps, tags; and nothing is left behind when it fails."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.support.clips import Clip, make_clip, packets_of, read_number
from tests.support.rewriting import rewrite
from vidrestore.errors import OutputError
from vidrestore.types import Frame, VideoInfo
from vidrestore.video import VideoWriter, probe, read_frames

UNEVEN = tuple(np.cumsum([0, *[40, 10, 33, 70, 17, 120] * 5]).tolist())

CLIPS = {
    "constant.mp4": Clip(),
    "b_frames.mp4": Clip(b_frames=4, gop=30, sounds=("aac",)),
    "uneven.mkv": Clip(times=UNEVEN, time_base=Fraction(1, 1000)),
    "late.mp4": Clip(start=Fraction(3, 2), sounds=("aac",)),
    "late.mkv": Clip(start=Fraction(3, 2), time_base=Fraction(1, 1000), sounds=("aac",)),
    "late.ts": Clip(start=Fraction(3, 2), time_base=Fraction(1, 90000), sounds=("aac",)),
    "odd_start.mp4": Clip(start=Fraction(12347, 12800)),
    "film.mp4": Clip(rate=Fraction(24000, 1001), time_base=Fraction(1, 24000), sounds=("aac",)),
    "one.mp4": Clip(frames=1),
}


def _read(path: Path) -> tuple[VideoInfo, list[Frame]]:
    info = probe(path)
    return info, list(read_frames(path, info))


def _seconds(frames: list[Frame]) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in frames]


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("kind", [".mp4", ".mov"])
def test_timestamps_come_out_exactly_as_they_went_in(tmp_path: Path, name: str, kind: str) -> None:
    source, output = make_clip(tmp_path / name, CLIPS[name]), tmp_path / f"output{kind}"
    rewrite(source, output)
    original, result = _read(source), _read(output)
    assert result[0].time_base == original[0].time_base
    assert [frame.pts for frame in result[1]] == [frame.pts for frame in original[1]]
    assert [read_number(f.planes[0]) for f in result[1]] == list(range(len(original[1])))
    assert result[1][-1].duration == (original[1][-1].duration or result[1][0].duration)


@pytest.mark.parametrize("kind", [".mp4", ".mkv"])
@pytest.mark.parametrize("frames", [1, 2, 3])
def test_videos_of_one_to_three_frames_are_always_written_by_x265(
    tmp_path: Path, frames: int, kind: str
) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(frames=frames))
    for number in range(5):
        output = tmp_path / f"output{number}{kind}"
        rewrite(source, output, codec="libx265", preset="ultrafast")
        assert _seconds(_read(output)[1]) == _seconds(_read(source)[1])


@pytest.mark.parametrize("name", CLIPS)
def test_matroska_keeps_timestamps_to_its_millisecond(tmp_path: Path, name: str) -> None:
    source, output = make_clip(tmp_path / name, CLIPS[name]), tmp_path / "output.mkv"
    rewrite(source, output)
    for result, original in zip(_seconds(_read(output)[1]), _seconds(_read(source)[1]), strict=True):
        assert abs(result - original) <= Fraction(1, 2000)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "kind"),
    [
        ("ffv1", "yuv420p", ".mkv"),
        ("ffv1", "yuv422p10le", ".mkv"),
        ("ffv1", "yuva444p", ".mkv"),
        ("ffv1", "gray", ".mkv"),
        ("ffv1", "bgr0", ".mkv"),
        ("ffv1", "bgra", ".mkv"),
        ("ffv1", "gbrp12le", ".mkv"),
        ("libx264", "bgr0", ".mkv"),
    ],
)
def test_a_lossless_encoder_gives_back_every_bit(
    tmp_path: Path, codec: str, pixel_format: str, kind: str
) -> None:
    clip = Clip(frames=4, codec="ffv1", pixel_format=pixel_format, time_base=Fraction(1, 1000))
    source, output = make_clip(tmp_path / "clip.mkv", clip), tmp_path / f"output{kind}"
    rewrite(source, output, codec=codec, crf=0 if codec == "libx264" else None)
    original, result = _read(source), _read(output)
    assert result[0].pixel_format == original[0].pixel_format
    for a, b in zip(original[1], result[1], strict=True):
        for plane, expected in zip(b.planes, a.planes, strict=True):
            np.testing.assert_array_equal(plane, expected)


def test_grey_through_x264_keeps_its_grey(tmp_path: Path) -> None:
    clip = Clip(frames=4, codec="ffv1", pixel_format="gray", time_base=Fraction(1, 1000))
    source, output = make_clip(tmp_path / "clip.mkv", clip), tmp_path / "output.mp4"
    rewrite(source, output, crf=0)
    for a, b in zip(_read(source)[1], _read(output)[1], strict=True):
        np.testing.assert_array_equal(a.planes[0], b.planes[0])


@pytest.mark.parametrize(
    ("codec", "pixel_format", "richer"),
    [
        ("prores_ks", "yuv420p", "yuv422p10le"),
        ("libsvtav1", "gray", "yuv420p"),
        ("libx264", "yuv440p", "yuv444p"),
        ("libvpx-vp9", "gray", "yuv420p"),
    ],
)
@pytest.mark.parametrize("range_tag", [1, 2])
def test_a_format_the_encoder_lacks_becomes_the_nearest_richer_one(
    tmp_path: Path, codec: str, pixel_format: str, richer: str, range_tag: int
) -> None:
    clip = Clip(
        frames=3,
        codec="ffv1",
        pixel_format=pixel_format,
        time_base=Fraction(1, 1000),
        colour=(2, 2, 2, range_tag),
    )
    source, output = make_clip(tmp_path / "clip.mkv", clip), tmp_path / "output.mkv"
    rewrite(source, output, codec=codec)
    original, result = _read(source), _read(output)
    assert result[0].pixel_format.name == richer
    scale = 2 ** (result[0].pixel_format.bit_depth - original[0].pixel_format.bit_depth)
    for a, b in zip(original[1], result[1], strict=True):
        assert np.abs(a.planes[0] - b.planes[0].astype(float) / scale).mean() < 1.5


@pytest.mark.parametrize(
    ("codec", "pixel_format"),
    [("libx264", "yuva420p"), ("libx264", "yuv420p12le"), ("libsvtav1", "yuv422p"), ("libx265", "gbrp16le")],
)
def test_a_format_that_would_lose_something_is_refused_by_name(
    tmp_path: Path, codec: str, pixel_format: str
) -> None:
    clip = Clip(frames=1, codec="ffv1", pixel_format=pixel_format, time_base=Fraction(1, 1000))
    source = make_clip(tmp_path / "clip.mkv", clip)
    with pytest.raises(OutputError, match=f"{codec} cannot hold {pixel_format}"):
        rewrite(source, tmp_path / "output.mkv", codec=codec)


def test_odd_sizes_are_written_without_losing_a_row(tmp_path: Path) -> None:
    clip = Clip(frames=2, size=(97, 63), codec="ffv1", time_base=Fraction(1, 1000))
    source, output = make_clip(tmp_path / "clip.mkv", clip), tmp_path / "output.mp4"
    rewrite(source, output)
    result = probe(output)
    assert (result.width, result.height, result.pixel_format.name) == (97, 63, "yuv444p")


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        *(("libx264", ".mp4"), ("libx264", ".mkv"), ("libx264", ".mov")),
        *(("libx265", ".mp4"), ("libx265", ".mkv"), ("ffv1", ".mp4"), ("prores_ks", ".mov")),
    ],
)
def test_tags_aspect_and_rotation_are_kept(tmp_path: Path, codec: str, kind: str) -> None:
    clip = Clip(
        pixel_format="yuv422p10le",
        colour=(9, 9, 16, 1),
        pixel_aspect=Fraction(16, 15),
        rotation=90,
        frames=3,
    )
    source, output = make_clip(tmp_path / "clip.mp4", clip), tmp_path / f"output{kind}"
    rewrite(source, output, codec=codec)
    original, result = probe(source), probe(output)
    # Streams state where chroma lies for 4:2:0 only.
    assert replace(result.colour, siting=0) == replace(original.colour, siting=0)
    assert result.pixel_aspect == original.pixel_aspect
    assert result.rotation == 90
    assert result.pixel_format == original.pixel_format
    assert result.frame_rate == original.frame_rate


def test_a_pixel_aspect_that_gets_lost_is_reported(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(frames=3, pixel_aspect=Fraction(16, 15)))
    (warning,) = rewrite(source, tmp_path / "output.mkv", codec="ffv1").warnings
    assert "pixel aspect 16:15" in warning


def test_an_unspecified_colour_range_stays_unspecified(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4", Clip(frames=3)), tmp_path / "output.mp4"
    rewrite(source, output)
    for path in (source, output):
        with av.open(str(path)) as container:
            assert container.streams.video[0].color_range == 0


def test_a_mirrored_picture_stays_mirrored(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4", Clip(mirrored=True)), tmp_path / "output.mp4"
    rewrite(source, output)
    matrices = []
    for path in (source, output):
        with av.open(str(path)) as container:
            sides: Any = next(container.decode(video=0)).side_data
            matrices.append([bytes(side) for side in sides if "DISPLAYMATRIX" in str(side.type)])
    assert matrices[0] == matrices[1] != []


def test_side_by_side_may_be_twice_as_wide(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4"), tmp_path / "output.mp4"
    info = probe(source)
    with VideoWriter(output, info, width=2 * info.width) as writer:
        for frame in read_frames(source, info):
            doubled = tuple(np.concatenate([plane, plane], axis=1) for plane in frame.planes)
            writer.write(replace(frame, planes=doubled))
    assert (probe(output).width, probe(output).height) == (192, 64)


def test_the_default_is_visually_lossless(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4"), tmp_path / "output.mp4"
    rewrite(source, output)
    for a, b in zip(_read(source)[1], _read(output)[1], strict=True):
        error = np.mean((a.planes[0].astype(float) - b.planes[0]) ** 2)
        assert 10 * np.log10(255**2 / error) > 40


def test_a_codecs_common_name_gets_the_same_quality(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4")
    rewrite(source, tmp_path / "one.mp4", codec="libx264")
    rewrite(source, tmp_path / "two.mp4", codec="h264")
    # The first packet states the encoder's settings; later ones differ with the timing of x264's threads.
    one, two = (packets_of(tmp_path / name, "video")[0][0] for name in ("one.mp4", "two.mp4"))
    assert one == two


@pytest.mark.parametrize(("codec", "kind"), [("libx264", ".mp4"), ("ffv1", ".mkv")])
def test_interlaced_video_stays_interlaced(tmp_path: Path, codec: str, kind: str) -> None:
    clip = Clip(options={"x264-params": "tff=1"}, field_order=2)
    source, output = make_clip(tmp_path / "clip.mp4", clip), tmp_path / f"output{kind}"
    rewrite(source, output, codec=codec)
    assert probe(source).interlaced
    assert probe(output).interlaced
