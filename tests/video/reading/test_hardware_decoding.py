"""A GPU decodes only if its pictures are those of FFmpeg's own decoder, sample for sample.

The GPU is a stand-in: FFmpeg's own decoder, whose pictures come as NVDEC's do, as nv12 or p010le.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from tests.support.clips import Clip, make_clip
from vidrestore import Settings
from vidrestore.errors import UsageError
from vidrestore.types import Frame
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.reading import hardware_decoding

CLIPS = {
    "h264": Clip(frames=24),
    "hevc 10": Clip(
        frames=12, codec="libx265", pixel_format="yuv420p10le", options={"x265-params": "log-level=none"}
    ),
}


class StandIn:
    """Decodes on the CPU; `change` is applied to each picture by its number."""

    def __init__(
        self, stream: VideoStream, change: Callable[[int, av.VideoFrame], av.VideoFrame] | None = None
    ) -> None:
        context = stream.codec_context
        decoder = av.CodecContext.create(context.codec.canonical_name, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.extradata = context.extradata
        self._decoder, self._change, self._count = decoder, change, 0
        self.thread_type = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def decode(self, packet: av.Packet[Any] | None) -> list[av.VideoFrame]:
        return [self._on_device(picture) for picture in self._decoder.decode(packet)]

    def _on_device(self, picture: av.VideoFrame) -> av.VideoFrame:
        found = picture.reformat(format="nv12" if picture.format.name == "yuv420p" else "p010le")
        found.pts, found.duration = picture.pts, picture.duration
        self._count += 1
        return found if self._change is None else self._change(self._count, found)


@pytest.fixture(autouse=True)
def forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware_decoding, "_refusals", {})


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> list[StandIn]:
    made: list[StandIn] = []

    def make(stream: VideoStream) -> StandIn:
        made.append(StandIn(stream))
        return made[-1]

    monkeypatch.setattr(hardware_decoding, "make_decoder", make)
    return made


def frames_of(path: Path, hwaccel: str) -> list[Frame]:
    info = probe(path)
    return list(read_frames(open_input(path, hwaccel=hwaccel), info))


def assert_same(some: list[Frame], others: list[Frame]) -> None:
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        assert (one.pts, one.duration, one.format, one.colour) == (
            other.pts, other.duration, other.format, other.colour,
        )  # fmt: skip
        assert all(np.array_equal(a, b) for a, b in zip(one.planes, other.planes, strict=True))


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("hwaccel", ["auto", "cuda"])
def test_frames_decoded_by_a_gpu_equal_those_of_the_cpu(
    tmp_path: Path, name: str, hwaccel: str, decoders: list[StandIn], caplog: pytest.LogCaptureFixture
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", CLIPS[name])
    expected = frames_of(clip, "none")
    assert decoders == []
    found = frames_of(clip, hwaccel)
    assert len(decoders) == 2  # for the comparison, and for the frames
    assert_same(found, expected)
    assert caplog.records == []
    frames_of(clip, hwaccel)
    assert len(decoders) == 3  # compared once


def other_sample(number: int, picture: av.VideoFrame) -> av.VideoFrame:
    if number == 5:
        np.frombuffer(picture.planes[0], np.uint8)[0] ^= 1  # type: ignore[call-overload]
    return picture


def other_time(number: int, picture: av.VideoFrame) -> av.VideoFrame:
    picture.pts = (picture.pts or 0) + 1
    return picture


def decoded_by_the_cpu(number: int, picture: av.VideoFrame) -> av.VideoFrame:
    again = picture.reformat(format="yuv420p")
    again.pts = picture.pts
    return again


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_sample, "picture 5 differs from that of FFmpeg's own decoder"),
        (other_time, "picture 1 differs from that of FFmpeg's own decoder"),
        (decoded_by_the_cpu, "the GPU does not decode this kind of video"),
    ],
)
def test_a_gpu_that_decodes_anything_else_is_not_used_and_named_once(
    tmp_path: Path,
    change: Callable[[int, av.VideoFrame], av.VideoFrame],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", CLIPS["h264"])
    expected = frames_of(clip, "none")
    monkeypatch.setattr(hardware_decoding, "make_decoder", lambda stream: StandIn(stream, change))
    for _ in range(2):
        assert_same(frames_of(clip, "auto"), expected)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == f"{clip} is decoded by the CPU, not by --hwaccel auto: {reason}"


def test_a_gpu_that_fails_while_it_decodes_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(number: int, picture: av.VideoFrame) -> av.VideoFrame:
        raise av.error.ExternalError(-542398533, "Generic error in an external library")

    clip = make_clip(tmp_path / "clip.mp4", CLIPS["h264"])
    monkeypatch.setattr(hardware_decoding, "make_decoder", lambda stream: StandIn(stream, fail))
    assert len(frames_of(clip, "cuda")) == 24
    assert "the GPU cannot decode it" in caplog.text


@pytest.mark.parametrize(("hwaccel", "warnings"), [("auto", 0), ("cuda", 1)])
def test_without_a_decoding_gpu_the_cpu_decodes_and_only_cuda_warns(
    tmp_path: Path,
    hwaccel: str,
    warnings: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def missing(stream: VideoStream) -> StandIn:
        raise av.error.PermissionError(1, "Operation not permitted")

    clip = make_clip(tmp_path / "clip.mp4", CLIPS["h264"])
    monkeypatch.setattr(hardware_decoding, "make_decoder", missing)
    assert_same(frames_of(clip, hwaccel), frames_of(clip, "none"))
    assert len(caplog.records) == warnings


@pytest.mark.parametrize(
    ("suffix", "clip", "reason"),
    [
        (".mov", Clip(codec="prores_ks", pixel_format="yuv422p10le"), "prores in yuv422p10le"),
        (".mp4", Clip(pixel_format="yuv444p"), "h264 in yuv444p"),
        (".mkv", Clip(codec="ffv1"), "ffv1 in yuv420p"),
    ],
)
def test_codecs_without_exactly_defined_pictures_are_left_to_the_cpu(
    tmp_path: Path,
    suffix: str,
    clip: Clip,
    reason: str,
    decoders: list[StandIn],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = make_clip(tmp_path / f"clip{suffix}", replace(clip, frames=3, size=(128, 96)))
    assert len(frames_of(path, "cuda")) == 3
    assert decoders == []
    assert f"{reason} is not among what it decodes without any difference" in caplog.text


def test_a_gpu_that_reports_no_damage_is_refused_where_damage_matters() -> None:
    with pytest.raises(UsageError, match="strict needs hwaccel none"):
        Settings(strict=True, hwaccel="auto")
    with pytest.raises(UsageError, match="hwaccel must be"):
        Settings(hwaccel="vdpau")  # type: ignore[arg-type]
    assert Settings().hwaccel == "none"
