"""A whole run whose pictures stay on its device has the result of a run with OpenCV."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

import vidrestore
from tests.support.shared import ROOT
from vidrestore.restoration import NetworkRestorer, make_restorer
from vidrestore.restoration.tensor_pictures import alignment, finished_faces
from vidrestore.restoration.tensor_pictures.alignment import warp_faces
from vidrestore.restoration.tensor_pictures.compositing import composite_tensors
from vidrestore.types import Frame
from vidrestore.weights import model_path

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "samples" / "old_film.mp4"


@pytest.fixture
def simulated_gpu(monkeypatch: pytest.MonkeyPatch) -> NetworkRestorer:
    """Networks that compute on the CPU, and a pipeline that treats them as on a GPU with 64 GiB."""
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (2**36, 2**36))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda _: 0)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda _: 0)
    networks = make_restorer(model_path("compact"), device="cpu", precision="float32")
    return replace(networks, device=torch.device("cuda"), is_exact=False)


@pytest.mark.parametrize("deflicker", [False, True])
def test_a_run_on_a_simulated_gpu_gives_the_frames_of_a_cpu(
    tmp_path: Path, simulated_gpu: NetworkRestorer, monkeypatch: pytest.MonkeyPatch, deflicker: bool
) -> None:
    expected, found = tmp_path / "cpu.mkv", tmp_path / "gpu.mkv"
    masks = [tmp_path / "cpu_mask.mkv", tmp_path / "gpu_mask.mkv"]
    restore = partial(vidrestore.restore, SAMPLE, end=0.3, codec="ffv1", deflicker=deflicker)
    before = restore(expected, device="cpu", precision="float32", mask=str(masks[0]))
    composited, cut_out = [], []

    def composite(*arguments: Any, **named: Any) -> Frame:
        composited.append(arguments)
        return composite_tensors(*arguments, **named)

    def warp(*arguments: Any) -> list[torch.Tensor]:
        cut_out.append(arguments)
        return warp_faces(*arguments)

    monkeypatch.setattr(alignment, "warp_faces", warp)
    monkeypatch.setattr("vidrestore.restoration.make_restorer", lambda *_, **__: simulated_gpu)
    monkeypatch.setattr(finished_faces, "composite_tensors", composite)
    report = restore(found, batch=4, mask=str(masks[1]))
    assert len(composited) == report.frames
    assert len(cut_out) == (0 if deflicker else report.frames)
    assert report.faces == before.faces > 0
    for one, other in zip(before.drawn, report.drawn, strict=True):
        assert (one.track, one.frames) == (other.track, other.frames)
        assert one.mean == pytest.approx(other.mean, abs=0.01)
    for one, other in zip(*map(pictures_of, masks), strict=True):
        assert ((one > 0) == (other > 0)).mean() > 0.99
    for one, other in zip(pictures_of(expected), pictures_of(found), strict=True):
        difference = np.abs(one.astype(int) - other.astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


def pictures_of(path: Path) -> list[np.ndarray]:
    """All samples of each frame."""
    with av.open(path) as video:
        return [frame.to_ndarray() for frame in video.decode(video=0)]
