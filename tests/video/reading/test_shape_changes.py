"""A stream that changes in the middle: shapes are not distorted, and a warning says what was converted."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import vidrestore
from tests.support.photos import save, smooth
from vidrestore.types import Frame, Progress, Report
from vidrestore.video import open_input, probe, read_frames

FIRST = (320, 240, Fraction(1))
CHANGES = {
    "wider": (480, 240, Fraction(1)),
    "higher": (320, 480, Fraction(1)),
    "smaller": (160, 120, Fraction(1)),
    "larger": (640, 480, Fraction(1)),
    "16:9 of the same size": (320, 240, Fraction(4, 3)),
    "4:3 after 16:9": (320, 240, Fraction(3, 4)),
    "another size and aspect": (240, 240, Fraction(16, 9)),
}


@pytest.mark.parametrize(
    ("change", "codec"),
    [
        *((change, "libx264") for change in CHANGES),
        # MPEG-2 states 4:3, 16:9 and 2.21:1 only.
        *((change, "mpeg2video") for change in CHANGES if change != "4:3 after 16:9"),
    ],
)
def test_a_change_of_shape_in_a_stream_does_not_distort_the_picture(
    tmp_path: Path, change: str, codec: str
) -> None:
    frames = _read(_film(tmp_path / "film.ts", [FIRST, CHANGES[change], FIRST], codec))
    assert len(frames) == 24
    assert {(frame.width, frame.height) for frame in frames} == {(320, 240)}
    assert [frame.is_fitted for frame in frames] == [False] * 8 + [True] * 8 + [False] * 8
    for frame in frames:
        across, down = _square(frame)
        assert across / down == pytest.approx(1, abs=0.06)


def test_the_area_beside_a_narrower_picture_is_black(tmp_path: Path) -> None:
    frame = _read(_film(tmp_path / "film.ts", [FIRST, (160, 240, Fraction(1))]))[12]
    luma, cb, cr = frame.planes
    assert np.abs(luma[:, :70].astype(int) - 16).max() <= 2
    assert np.abs(luma[:, -70:].astype(int) - 16).max() <= 2
    assert np.abs(cb[:, :35].astype(int) - 128).max() <= 2
    assert np.abs(cr[:, :35].astype(int) - 128).max() <= 2


def test_a_size_that_is_nearly_the_same_fills_the_frame(tmp_path: Path) -> None:
    frames = _read(_film(tmp_path / "film.ts", [(352, 240, Fraction(1)), (350, 240, Fraction(352, 350))]))
    assert frames[12].planes[0][:, 0].mean() > 40
    assert frames[12].planes[0][:, -1].mean() > 40


def test_a_change_of_size_or_pixel_aspect_gives_a_warning(tmp_path: Path) -> None:
    path = _film(tmp_path / "film.ts", [FIRST, CHANGES["16:9 of the same size"]])
    report = vidrestore.restore(path, tmp_path / "out.mp4")
    assert [w for w in report.warnings if "size or pixel aspect" in w and "0.3 s" in w]
    assert report.damage == 0
    report = vidrestore.restore(path, tmp_path / "parts.mp4", segment=0.3)
    assert [w for w in report.warnings if "size or pixel aspect" in w]


FORMATS = ["yuv422p", "yuv444p", "yuv420p10le"]


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_a_change_of_depth_or_chroma_is_named_with_its_time(tmp_path: Path, pixel_format: str) -> None:
    path = tmp_path / "film.ts"
    _write(path, [_coded("libx264", 0, *FIRST), _coded("libx264", 8, *FIRST, pixel_format=pixel_format)])
    frames = _read(path)
    assert [frame.is_converted for frame in frames] == [False] * 8 + [True] * 8
    assert not any(frame.is_fitted for frame in frames)
    (warning,) = _about_changes(vidrestore.restore(path, tmp_path / "out.mkv"))
    assert "changes its depth, its chroma or its kind of samples after 0.3 s" in warning
    assert "yuv420p" in warning


def test_a_change_of_format_is_named_once_by_a_run_in_segments_that_is_resumed(tmp_path: Path) -> None:
    path, output = tmp_path / "film.ts", tmp_path / "out.mkv"
    parts = [_coded("libx264", 8 * number, *FIRST) for number in range(5)]
    parts.insert(1, _coded("libx264", 8, *FIRST, pixel_format="yuv444p"))
    _write(path, [*parts[:2], *(_coded("libx264", 8 * number, *FIRST) for number in range(2, 8))])

    def stop(progress: Progress) -> None:
        if progress.frames >= 30:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        vidrestore.restore(path, output, segment=0.4, codec="ffv1", on_progress=stop)
    (warning,) = _about_changes(vidrestore.restore(path, output, segment=0.4, codec="ffv1"))
    assert "after 0.3 s" in warning


@pytest.mark.parametrize("what", ["colour", "range"])
def test_a_change_of_colour_tags_is_named_with_its_time(tmp_path: Path, what: str) -> None:
    first = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}
    other = first | ({"colorspace": 5, "color_primaries": 6} if what == "colour" else {"color_range": 2})
    path = tmp_path / "film.ts"
    _write(path, [_coded("libx264", 8 * n, *FIRST, tags=tags) for n, tags in enumerate([first, other])])
    (warning,) = _about_changes(vidrestore.restore(path, tmp_path / "out.mkv"))
    assert "changes its colour tags after 0.3 s" in warning


def test_tags_that_only_some_pictures_state_are_no_change(tmp_path: Path) -> None:
    tags = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}
    path = tmp_path / "film.ts"
    _write(path, [_coded("libx264", 0, *FIRST), _coded("libx264", 8, *FIRST, tags=tags)])
    assert not any(frame.has_other_colour or frame.is_converted for frame in _read(path))


def test_the_first_picture_of_another_kind_in_a_sequence_is_named_with_its_time(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"in{number}.png", smooth(1 if number == 2 else 3))
    (warning,) = _about_changes(vidrestore.restore(tmp_path / "in%d.png", tmp_path / "out%d.png"))
    assert "its kind of samples after 0.1 s" in warning


def _about_changes(report: Report) -> list[str]:
    return [warning for warning in report.warnings if " changes its " in warning]


def _read(path: Path) -> list[Frame]:
    video_input = open_input(path)
    return list(read_frames(video_input, probe(video_input)))


def _square(frame: Frame) -> tuple[int, int]:
    """Width and height of the white square."""
    rows, columns = np.nonzero(frame.planes[0] > 180)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def _film(path: Path, parts: list[tuple[int, int, Fraction]], codec: str = "libx264") -> Path:
    """Eight frames of each size and pixel aspect, of a grey picture with what is shown as a white square."""
    return _write(path, [_coded(codec, 8 * number, *part) for number, part in enumerate(parts)], codec)


def _write(path: Path, parts: list[list[Any]], codec: str = "libx264") -> Path:
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = *FIRST[:2], "yuv420p"
        for packet in (packet for part in parts for packet in part):
            packet.stream = video
            container.mux(packet)
    return path


def _coded(
    codec: str,
    first: int,
    width: int,
    height: int,
    aspect: Fraction,
    *,
    pixel_format: str = "yuv420p",
    tags: dict[str, int] | None = None,
) -> list[Any]:
    """Packets of eight pictures; `tags`: FFmpeg's codes of their colours, by PyAV's names."""
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.sample_aspect_ratio = aspect
    for name, code in (tags or {}).items():
        setattr(encoder, name, code)
    if codec == "libx264":
        encoder.options = {"bf": "2", "crf": "10"}
    else:
        encoder.bit_rate, encoder.max_b_frames = 4_000_000, 0
    packets = []
    for number in range(8):
        picture = av.VideoFrame.from_ndarray(_picture(width, height, aspect), "rgb24")
        picture = picture.reformat(format=pixel_format)
        for name, code in (tags or {}).items():
            setattr(picture, name, code)
        picture.pts, picture.time_base = first + number, Fraction(1, 25)
        packets += encoder.encode(picture)
    return [*packets, *encoder.encode(None)]


def _picture(width: int, height: int, aspect: Fraction) -> NDArray[np.uint8]:
    picture = np.full((height, width, 3), 90, np.uint8)
    half = min(height, width * float(aspect)) / 4
    across, down = round(half / float(aspect)), round(half)
    picture[height // 2 - down : height // 2 + down, width // 2 - across : width // 2 + across] = 255
    return picture
