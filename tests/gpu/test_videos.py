"""Whole restorations on a real GPU, and its decoder and encoders. Skipped where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

import vidrestore
from benchmarks.known_clips import make_clip
from vidrestore.errors import DeviceError
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.reading import hardware_decoding


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("gpu") / "clip.mp4", lines=480, faces=1, frames=24)


def planes(path: Path, **how: Any) -> np.ndarray:
    return np.stack([frame.planes[0] for frame in read_frames(open_input(path, **how), probe(path))])


def test_a_video_is_restored_as_on_the_cpu(device: torch.device, clip: Path, tmp_path: Path) -> None:
    results = {}
    for name, where in (("expected", "cpu"), ("found", str(device))):
        output = tmp_path / f"{name}.mkv"
        report = vidrestore.restore(clip, output, device=where, codec="ffv1")
        assert report.frames == 24
        assert report.faces >= 20
        results[name] = planes(output).astype(int)
    difference = np.abs(results["expected"] - results["found"])
    is_changed = np.abs(results["expected"] - planes(clip).astype(int)) > 0
    assert is_changed.any()
    assert np.percentile(difference[~is_changed], 99.9) <= 1  # a mask may end a pixel further
    assert np.square(difference[is_changed]).mean() < 65  # 30 dB: sums are rounded in another order


@pytest.mark.gpu
def test_the_gpu_decoder_returns_the_same_frames_as_the_cpu(
    cuda: torch.device, clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with av.open(str(clip)) as container:
        try:
            hardware_decoding.make_decoder(container.streams.video[0])
        except (av.FFmpegError, OSError) as error:
            pytest.skip(f"{cuda} does not decode: {error}")
    assert np.array_equal(planes(clip, hwaccel="cuda"), planes(clip))
    assert caplog.records == []


@pytest.mark.gpu
@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_nvenc", "av1_nvenc"])
def test_the_gpu_encoder_keeps_the_picture(
    codec: str, cuda: torch.device, clip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mkv"
    try:
        vidrestore.restore(clip, output, device="cpu", codec=codec, faces="none")
    except DeviceError as error:
        pytest.skip(f"{cuda}: {error}")
    error = np.square(planes(output).astype(float) - planes(clip)).mean()
    assert 10 * np.log10(255**2 / error) > 40
