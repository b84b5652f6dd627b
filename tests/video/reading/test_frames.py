"""Every frame, in order, with its own timestamp and its own samples."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import Clip, frame_times, make_clip, packets_of, pictures, read_number, truncate
from vidrestore.types import Frame
from vidrestore.video import probe, read_frames
from vidrestore.video.formats.pixel_formats import unpack


def _read(path: Path, start: float | None = None, end: float | None = None) -> list[Frame]:
    return list(read_frames(path, probe(path), start=start, end=end))


def _numbers(frames: list[Frame]) -> list[int]:
    return [read_number(frame.planes[0]) for frame in frames]


UNEVEN = tuple(np.cumsum([0, *[40, 10, 33, 70, 17, 120] * 5]).tolist())
CLIPS = {
    "constant.mp4": Clip(),
    "b_frames.mp4": Clip(b_frames=4, gop=30),
    "uneven.mkv": Clip(times=UNEVEN, time_base=Fraction(1, 1000)),
    "uneven.mp4": Clip(times=UNEVEN, time_base=Fraction(1, 1000)),
    "late.mp4": Clip(start=Fraction(3, 2), sounds=("aac",)),
    "late.mkv": Clip(start=Fraction(3, 2), time_base=Fraction(1, 1000), sounds=("aac",)),
    "late.ts": Clip(start=Fraction(3, 2), time_base=Fraction(1, 90000), sounds=("aac",)),
    "one.mp4": Clip(frames=1),
}


@pytest.mark.parametrize("name", CLIPS)
def test_frames_come_in_order_at_their_own_times(tmp_path: Path, name: str) -> None:
    clip = CLIPS[name]
    frames = _read(make_clip(tmp_path / name, clip))
    times = frame_times(clip)
    assert _numbers(frames) == list(range(len(times)))
    assert [frame.index for frame in frames] == list(range(len(times)))
    assert [frame.pts * frame.time_base for frame in frames] == [pts * clip.time_base for pts in times]


@pytest.mark.parametrize(
    ("codec", "pixel_format", "container"),
    [
        ("ffv1", "yuv420p", "mkv"),
        ("ffv1", "yuv422p10le", "mkv"),
        ("ffv1", "yuv444p12le", "mkv"),
        ("ffv1", "yuva420p", "mkv"),
        ("ffv1", "gray", "mkv"),
        ("ffv1", "gray16le", "mkv"),
        ("ffv1", "bgr0", "mkv"),
        ("ffv1", "gbrp10le", "mkv"),
        ("png", "rgb24", "mov"),
        ("png", "rgba", "mov"),
        ("png", "rgb48be", "mov"),
        ("rawvideo", "yuyv422", "avi"),
        ("rawvideo", "bgr24", "avi"),
    ],
)
def test_samples_are_those_that_were_encoded(
    tmp_path: Path, codec: str, pixel_format: str, container: str
) -> None:
    clip = Clip(frames=3, codec=codec, pixel_format=pixel_format, time_base=Fraction(1, 25))
    frames = _read(make_clip(tmp_path / f"clip.{container}", clip))
    assert len(frames) == 3
    for frame, picture in zip(frames, pictures(clip), strict=True):
        for plane, expected in zip(frame.planes, unpack(picture), strict=True):
            np.testing.assert_array_equal(plane, expected)


def test_odd_sizes_have_rounded_up_chroma(tmp_path: Path) -> None:
    clip = Clip(frames=2, size=(97, 63), codec="ffv1", time_base=Fraction(1, 1000))
    frame = _read(make_clip(tmp_path / "clip.mkv", clip))[0]
    assert [plane.shape for plane in frame.planes] == [(63, 97), (32, 49), (32, 49)]


def test_planes_cannot_be_written_to(tmp_path: Path) -> None:
    frame = _read(make_clip(tmp_path / "clip.mp4"))[0]
    with pytest.raises(ValueError, match="read-only"):
        frame.planes[0][0, 0] = 0


def test_planes_outlive_the_file(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4")
    frames = read_frames(path, probe(path))
    first = next(frames)
    frames.close()  # type: ignore[attr-defined]
    path.unlink()
    assert read_number(first.planes[0]) == 0


@pytest.mark.parametrize("name", ["constant.mp4", "b_frames.mp4", "late.ts", "late.mkv"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.4), (0.36, 0.72), (0.5, 9.0), (1.16, 1.2)])
def test_a_part_is_cut_to_the_frame(tmp_path: Path, name: str, start: float, end: float) -> None:
    frames = _read(make_clip(tmp_path / name, CLIPS[name]), start=start, end=end)
    expected = [n for n in range(30) if start <= round(n / 25, 2) < end]
    assert _numbers(frames) == expected
    whole = _read(tmp_path / name)
    assert [frame.pts for frame in frames] == [whole[n].pts for n in expected]


def test_a_part_behind_the_end_is_empty(tmp_path: Path) -> None:
    assert _read(make_clip(tmp_path / "clip.mp4"), start=5.0) == []


def test_a_frame_that_cannot_be_decoded_is_replaced_by_the_one_before(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mov", Clip(frames=60, codec="png", pixel_format="rgb24"))
    content = path.read_bytes()
    for _, _, packet in packets_of(path, "video")[0][10:20:3]:
        content = content.replace(packet, b"\0" * len(packet))
    path.write_bytes(content)
    lost: list[None] = []
    frames = list(read_frames(path, probe(path), on_lost=lambda: lost.append(None)))
    assert len(lost) == 4
    assert _numbers(frames) == [n - 1 if n in (10, 13, 16, 19) else n for n in range(60)]
    assert [frame.pts for frame in frames] == frame_times(Clip(frames=60))


def test_a_truncated_file_gives_what_is_left_and_the_promised_count(tmp_path: Path) -> None:
    clip = Clip(frames=100, container_options={"movflags": "faststart"}, sounds=("aac",))
    path = truncate(make_clip(tmp_path / "clip.mp4", clip), 0.6)
    info = probe(path)
    frames = list(read_frames(path, info))
    assert info.frame_count == 100
    assert 20 < len(frames) < 90
    assert _numbers(frames[:-3]) == list(range(len(frames) - 3))
