"""A whole run whose pictures stay on its device has the result of a run with OpenCV."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

import vidrestore
from tests.support.shared import ROOT
from vidrestore.restoration import make_restorer
from vidrestore.restoration.tensor_pictures import alignment, finished_faces
from vidrestore.restoration.tensor_pictures.alignment import warp_faces
from vidrestore.restoration.tensor_pictures.compositing import composite_tensors
from vidrestore.settings import Fidelity
from vidrestore.types import Frame
from vidrestore.weights import model_path

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "samples" / "old_film.mp4"


def simulate_gpu(monkeypatch: pytest.MonkeyPatch, fidelity: Fidelity) -> tuple[list[object], list[object]]:
    """Networks that compute on the CPU, and a pipeline that treats them as on a GPU with 64 GiB.

    Returns:
        Two lists, to which each frame is added that is composited by tensors, and each from which faces are
        cut out by tensors.
    """
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (2**36, 2**36))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda _: 0)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda _: 0)
    networks = make_restorer(model_path("compact"), device="cpu", precision="float32", fidelity=fidelity)
    networks = replace(networks, device=torch.device("cuda"), is_exact=False)
    monkeypatch.setattr("vidrestore.restoration.make_restorer", lambda *_, **__: networks)
    composited: list[object] = []
    cut_out: list[object] = []

    def warp(*arguments: Any) -> list[torch.Tensor]:
        cut_out.append(arguments)
        return warp_faces(*arguments)

    def composite(*arguments: Any, **named: Any) -> Frame:
        composited.append(arguments)
        return composite_tensors(*arguments, **named)

    monkeypatch.setattr(alignment, "warp_faces", warp)
    monkeypatch.setattr(finished_faces, "composite_tensors", composite)
    return composited, cut_out


def hdr_sample(folder: Path) -> Path:
    """The first pictures of the sample in 10 bits, tagged as PQ."""
    path = folder / "hdr.mkv"
    with av.open(SAMPLE) as source, av.open(path, "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        shown = source.streams.video[0]
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = 16, 9, 9
        for picture in islice(source.decode(video=0), 8):
            output.mux(stream.encode(picture.reformat(format="yuv420p10le")))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("how", "is_hdr"),
    [
        ({}, False),
        ({"deflicker": True}, False),
        ({"fidelity": 0}, False),
        ({"fidelity": 0, "deflicker": True}, True),
        ({}, True),
    ],
)
def test_a_run_on_a_simulated_gpu_gives_the_frames_of_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], is_hdr: bool
) -> None:
    expected, found = tmp_path / "cpu.mkv", tmp_path / "gpu.mkv"
    masks = [tmp_path / "cpu_mask.mkv", tmp_path / "gpu_mask.mkv"]
    clip = hdr_sample(tmp_path) if is_hdr else SAMPLE
    restore = partial(vidrestore.restore, clip, end=0.3, codec="ffv1", **how)
    before = restore(expected, device="cpu", precision="float32", mask=str(masks[0]))
    composited, cut_out = simulate_gpu(monkeypatch, how.get("fidelity", "auto"))
    report = restore(found, batch=4, mask=str(masks[1]))
    assert len(composited) == report.frames
    assert len(cut_out) == (0 if how or is_hdr else report.frames)
    assert report.faces == before.faces > 0
    for one, other in zip(before.drawn, report.drawn, strict=True):
        assert (one.track, one.frames) == (other.track, other.frames)
        assert one.mean == pytest.approx(other.mean, abs=0.01)
    for one, other in zip(*map(pictures_of, masks), strict=True):
        assert ((one > 0) == (other > 0)).mean() > 0.99
    # Greys that are rounded to the other side change the flow by a little: one code of 8 bits, four of 10.
    # At single samples of bright edges in PQ that is up to twice as much.
    limit = 4 if is_hdr else 1
    for one, other in zip(pictures_of(expected), pictures_of(found), strict=True):
        difference = np.abs(one.astype(int) - other.astype(int))
        assert (difference > limit).sum() <= (2 if is_hdr else 0)
        assert difference.max() <= (2 if is_hdr else 1) * limit
        assert (difference > limit // 4).mean() < 0.01


def pictures_of(path: Path) -> list[np.ndarray]:
    """All samples of each frame."""
    with av.open(path) as video:
        return [frame.to_ndarray() for frame in video.decode(video=0)]
