"""What benchmarks are made of is right; what they measure is not tested."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from benchmarks.charts import write_bars
from benchmarks.gpu import exact_float32, faces_a_second, matrix_speed
from benchmarks.known_clips import SIZES, make_clip
from benchmarks.network import restored
from benchmarks.timing import interleaved
from vidrestore.detection import detect, make_detector
from vidrestore.restoration import make_restorer
from vidrestore.video import probe, read_frames
from vidrestore.weights import embedded_path


@pytest.mark.parametrize("faces", [0, 1, 4])
def test_a_known_clip_has_the_faces_it_is_said_to_have(tmp_path: Path, faces: int) -> None:
    clip = make_clip(tmp_path / "clip.mp4", lines=480, faces=faces, frames=3)
    info = probe(clip)
    assert (info.width, info.height) == SIZES[480]
    found = [len(item.faces) for item in detect(read_frames(clip, info), make_detector("embedded"))]
    assert found == [faces] * 3


def test_alternatives_take_turns() -> None:
    order: list[str] = []
    seconds = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b"] * 3
    assert [len(values) for values in seconds.values()] == [2, 2]


def test_bars_are_as_long_as_what_they_show(tmp_path: Path) -> None:
    write_bars(tmp_path / "chart.svg", {"A & B": [("half", 1.0, 2.0), ("whole", 4.0, None)]})
    drawn = ElementTree.parse(tmp_path / "chart.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    half, whole = (float(r.attrib["width"]) for r in drawn.findall(f"{space}rect")[1:])
    assert half == pytest.approx(whole / 4, abs=0.1)
    assert "A & B" in {text.text for text in drawn.findall(f"{space}text")}
    (limit,) = drawn.findall(f"{space}line")
    first = drawn.findall(f"{space}rect")[1]
    assert float(limit.attrib["x1"]) == pytest.approx(float(first.attrib["x"]) + whole / 2, abs=0.1)


def test_a_device_is_measured_by_batch_and_against_its_matrix_products() -> None:
    restorer = make_restorer(embedded_path("compact.safetensors"), device="cpu")
    face = np.full((256, 256, 3), 0.5, np.float32)
    speeds = faces_a_second(partial(restored, restorer), face, (1, 2), 1)
    assert list(speeds) == ["1", "2"]
    assert min(speeds.values()) > 0
    assert matrix_speed(torch.device("cpu"), torch.float32, 64, 1) > 0


def test_the_float32_baseline_of_a_gpu_uses_no_tf32() -> None:
    def allowed() -> tuple[bool, bool]:
        return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32

    before = allowed()
    assert before[0], "PyTorch's default"
    with exact_float32():
        assert allowed() == (False, False)
    assert allowed() == before
