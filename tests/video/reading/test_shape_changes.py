"""A stream that changes its size or pixel aspect: shapes are not distorted, and a warning says so."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import vidrestore
from vidrestore.types import Frame
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
def test_a_square_stays_a_square(tmp_path: Path, change: str, codec: str) -> None:
    frames = _read(_film(tmp_path / "film.ts", [FIRST, CHANGES[change], FIRST], codec))
    assert len(frames) == 24
    assert {(frame.width, frame.height) for frame in frames} == {(320, 240)}
    assert [frame.is_fitted for frame in frames] == [False] * 8 + [True] * 8 + [False] * 8
    for frame in frames:
        across, down = _square(frame)
        assert across / down == pytest.approx(1, abs=0.06)


def test_what_is_beside_a_narrower_picture_is_black(tmp_path: Path) -> None:
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


def test_the_user_is_warned_of_it(tmp_path: Path) -> None:
    path = _film(tmp_path / "film.ts", [FIRST, CHANGES["16:9 of the same size"]])
    report = vidrestore.restore(path, tmp_path / "out.mp4")
    assert [w for w in report.warnings if "size or pixel aspect" in w and "0.3 s" in w]
    assert report.damage == 0
    report = vidrestore.restore(path, tmp_path / "parts.mp4", segment=0.3)
    assert [w for w in report.warnings if "size or pixel aspect" in w]


def _read(path: Path) -> list[Frame]:
    video_input = open_input(path)
    return list(read_frames(video_input, probe(video_input)))


def _square(frame: Frame) -> tuple[int, int]:
    """Width and height of the white square."""
    rows, columns = np.nonzero(frame.planes[0] > 180)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def _film(path: Path, parts: list[tuple[int, int, Fraction]], codec: str = "libx264") -> Path:
    """Eight frames of each size and pixel aspect, of a grey picture with what is shown as a white square."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = parts[0][0], parts[0][1], "yuv420p"
        for number, part in enumerate(parts):
            for packet in _coded(codec, 8 * number, *part):
                packet.stream = video
                container.mux(packet)
    return path


def _coded(codec: str, first: int, width: int, height: int, aspect: Fraction) -> list[Any]:
    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.sample_aspect_ratio = aspect
    if codec == "libx264":
        encoder.options = {"bf": "2", "crf": "10"}
    else:
        encoder.bit_rate, encoder.max_b_frames = 4_000_000, 0
    packets = []
    for number in range(8):
        picture = av.VideoFrame.from_ndarray(_picture(width, height, aspect), "rgb24")
        picture = picture.reformat(format="yuv420p")
        picture.pts, picture.time_base = first + number, Fraction(1, 25)
        packets += encoder.encode(picture)
    return [*packets, *encoder.encode(None)]


def _picture(width: int, height: int, aspect: Fraction) -> NDArray[np.uint8]:
    picture = np.full((height, width, 3), 90, np.uint8)
    half = min(height, width * float(aspect)) / 4
    across, down = round(half / float(aspect)), round(half)
    picture[height // 2 - down : height // 2 + down, width // 2 - across : width // 2 + across] = 255
    return picture
