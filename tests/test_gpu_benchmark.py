"""What is counted and calculated about GPUs without one, and the script that runs everything on one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import gpu_parts
from benchmarks.gpu import codecs
from benchmarks.gpu_ceilings import GPUS, Gpu, faces_a_second_of, most_faces, seconds_of
from benchmarks.gpu_count import Step, steps
from benchmarks.gpu_session import run
from benchmarks.kernel_count import count_kernels
from tests.support.networks import SMALL


def test_kernels_operations_bytes_and_memory_are_counted() -> None:
    a, b = torch.ones(8, 16), torch.ones(16, 4)
    counted = count_kernels(lambda: (a @ b).relu_().view(-1).sum())
    assert dict(counted.by_operation) == {"mm": 1, "relu_": 1, "sum": 1}
    assert counted.flop == 2 * 8 * 16 * 4
    assert counted.kernels[0].bytes == 4 * (8 * 16 + 16 * 4 + 8 * 4)
    assert counted.peak_bytes == 4 * (8 * 4 + 1)
    kept = count_kernels(lambda: torch.ones(1000).add(1).add(1))
    assert kept.peak_bytes == 2 * 4000  # the first tensor is freed before the third is made


def test_copies_into_another_memory_order_are_counted_also_those_of_convolutions() -> None:
    conv = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.ones(1, 4, 8, 8)
    last = x.contiguous(memory_format=torch.channels_last)
    assert count_kernels(lambda: conv(last)).layout_copies == 0
    assert count_kernels(lambda: conv(x)).layout_copies == 1
    assert count_kernels(lambda: last.contiguous()).layout_copies == 1
    assert count_kernels(lambda: x.clone()).layout_copies == 0


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_a_face_of_the_compact_network_is_counted_step_by_step() -> None:
    found = steps("compact", batch=8)
    assert [step.name for step in found] == ["encode", "blend features", "predict", "blend codes", "decode"]
    gflop = sum(step.to_dict()["gflop"] for step in found)
    assert 12 < gflop < 20  # docs/long-videos.md: 17.9 with the evidence network
    by_name = {step.name: step.to_dict() for step in found}
    assert by_name["blend features"]["layout_copies"] == by_name["blend codes"]["layout_copies"] == 0
    alone = steps("compact", batch=8, blends_together=False)
    blending = [sum(s.count.total for s in each if s.name.startswith("blend")) for each in (found, alone)]
    assert blending[0] < 0.2 * blending[1]


def step_of(kernels: int, size: int, faces: int) -> Step:
    x = torch.ones(size, size)

    def work() -> None:
        for _ in range(kernels):
            x.mm(x)
        x.add(1)

    return Step(name="a", faces=faces, count=count_kernels(work))


def test_a_ceiling_is_products_and_bytes_or_launches() -> None:
    slow = Gpu(tflop=1e-6, gigabytes_a_second=1e-3, gigabytes=1)
    found = [step_of(3, 64, 2)]
    seconds = seconds_of(found, slow)
    assert seconds["products"] == pytest.approx(3 * 2 * 64**3 / 0.7e6)
    assert seconds["others"] == pytest.approx(2 * 4 * 64**2 / 0.8e6)
    assert faces_a_second_of(found, slow) == pytest.approx(2 / (seconds["products"] + seconds["others"]))
    fast = Gpu(tflop=1e6, gigabytes_a_second=1e9, gigabytes=1)
    assert faces_a_second_of(found, fast) == pytest.approx(2 / (4 * 5e-6))
    assert most_faces(found, slow) == pytest.approx(0.8e9 / (found[0].count.peak_bytes / 2), abs=1)
    assert list(GPUS) == ["H200", "RTX 4090", "RTX 3060"]


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_parts_are_counted_beside_what_they_replace() -> None:
    found = gpu_parts.count()
    for ways in found["upsampling_a_face"].values():
        plain, phased, transposed = (ways[way] for way in gpu_parts.WAYS)
        assert transposed["gflop"] == pytest.approx(plain["gflop"] * 4 / 9)
        assert transposed["kernels"] * 2 == plain["kernels"] < phased["kernels"]
        assert transposed["megabytes_moved"] < plain["megabytes_moved"]
    for face in found["cut_out_a_face"].values():
        assert 20 < face["kernels"] < 40
        assert face["layout_copies"] == 0
        assert face["megabytes_to_the_gpu"] < 0.2 * found["megabytes_of_a_float_crop"]


def test_parts_are_measured_on_any_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_parts, "BATCH", 1)
    monkeypatch.setattr(gpu_parts, "KERNELS", 5)
    found = gpu_parts.measure(torch.device("cpu"), 1, {"small": SMALL})
    assert set(found["upsampling_milliseconds_a_face"]["small"]) == set(gpu_parts.WAYS)
    assert all(number > 0 for number in found["launching"].values())
    for ways in found["cut_out_milliseconds_a_face"].values():
        assert all(number > 0 for number in ways.values())


def test_without_a_gpu_codecs_are_measured_and_no_encoder_is_invented(tmp_path: Path) -> None:
    found = codecs(tmp_path, 6)
    assert found["decoded_frames_a_second, hwaccel none"] > 0
    if not torch.cuda.is_available():
        assert found["encoders"] == []


def test_each_step_of_a_session_has_a_limit_and_leaves_its_output(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert run([sys.executable, "-c", "print('hello'); raise SystemExit(3)"], log, 60) == 3
    assert log.read_text() == "hello\n"
    assert run([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"], log, 1) is None
    assert "timed out" in log.read_text()
    assert run(["no-such-command-anywhere"], log, 1) is None
