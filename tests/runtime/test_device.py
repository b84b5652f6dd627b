"""Devices are checked before work starts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from tests.support.shared import ROOT
from vidrestore.errors import DeviceError
from vidrestore.runtime import device as device_module
from vidrestore.runtime.device import (
    CUDA_WHEELS,
    choose_precision,
    exact_float32,
    free_gpu_memory,
    resolve_device,
    resolve_precision,
)
from vidrestore.runtime.worker_threads import ParallelFor, SingleThreadWorker, set_torch_threads


def test_cuda_without_a_gpu_is_a_device_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="--device cuda:1 needs an NVIDIA GPU") as caught:
        resolve_device("cuda:1")
    assert caught.value.exit_code == 2


def test_a_pytorch_without_cuda_is_not_taken_for_a_missing_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(DeviceError, match="built without CUDA") as caught:
        resolve_device("cuda")
    assert f"pip install torch --index-url {CUDA_WHEELS}" in str(caught.value)


def test_the_readme_names_the_same_pytorch_for_nvidia_gpus_on_windows() -> None:
    (line,) = (
        line
        for line in (ROOT / "README.md").read_text("utf-8").splitlines()
        if "NVIDIA GPU on Windows" in line
    )
    assert CUDA_WHEELS in line


def test_limiting_the_threads_of_one_thread_does_not_affect_others() -> None:
    here = torch.get_num_threads()

    def alone() -> int:
        set_torch_threads(1)
        return torch.get_num_threads()

    with ThreadPoolExecutor(8) as crowd:
        counts = [result.result() for result in [crowd.submit(alone) for _ in range(8)]]
    with ThreadPoolExecutor(1) as newcomer:
        later = newcomer.submit(torch.get_num_threads).result()
    assert counts == [1] * 8
    assert (torch.get_num_threads(), later) == (here, here)


def test_a_single_thread_worker_returns_results_and_raises_errors() -> None:
    beside = SingleThreadWorker()
    assert beside.call(torch.get_num_threads) == 1
    assert beside.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        beside.call(divmod, 7, 0)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_parallel_loop_runs_each_part_once_with_one_torch_thread(threads: int) -> None:
    usual = torch.get_num_threads()
    done: list[tuple[int, int]] = []

    def work(parts: Iterator[int]) -> None:
        done.extend((part, torch.get_num_threads()) for part in parts)

    torch.set_num_threads(threads)
    try:
        ParallelFor().run(range(100), work)
        ParallelFor().run([], work)
    finally:
        torch.set_num_threads(usual)
    assert sorted(done) == [(part, 1) for part in range(100)]


def test_an_error_in_a_parallel_loop_reaches_its_caller() -> None:
    def work(parts: Iterator[int]) -> None:
        for part in parts:
            divmod(1, part)

    with pytest.raises(ZeroDivisionError):
        ParallelFor().run([1, 0, 1, 1], work)


def test_the_error_about_a_missing_gpu_states_how_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceError, match="has 1 CUDA device"):
        resolve_device("cuda:1")
    assert resolve_device("cuda:0") == torch.device("cuda:0")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_prefers_cuda_then_mps_then_the_cpu(
    cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(device_module, "_convolves", lambda device, precision: True)
    monkeypatch.setattr(device_module, "agrees_with_cpu", lambda device, precision: True)
    assert resolve_device("auto").type == expected


def test_mps_without_an_apple_gpu_and_unknown_names_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="Apple"):
        resolve_device("mps")
    with pytest.raises(DeviceError, match="no device 'tpu'"):
        resolve_device("tpu")


def test_float16_is_never_used_on_a_processor() -> None:
    assert resolve_precision(torch.device("cpu")) in (torch.bfloat16, torch.float32)


@pytest.mark.parametrize(("is_right", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_apples_gpu_computes_in_16_bits_where_that_is_right(
    is_right: bool, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_module, "agrees_with_cpu", lambda device, precision: is_right)
    assert resolve_precision(torch.device("mps")) is expected
    if is_right:
        assert choose_precision(torch.device("mps"), "bfloat16") is torch.bfloat16
    else:
        with pytest.raises(DeviceError, match="does not compute in bfloat16"):
            choose_precision(torch.device("mps"), "bfloat16")


def test_auto_leaves_an_apple_gpu_that_computes_wrong_numbers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(device_module, "agrees_with_cpu", lambda device, precision: False)
    assert resolve_device("auto") == torch.device("cpu")
    assert "computes wrong numbers" in caplog.text


def test_a_build_without_onednn_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops, "mkldnn", object())  # such builds have no operators in it
    assert resolve_precision(torch.device("cpu")) is torch.float32


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), torch.float16), ((9, 0), torch.bfloat16)])
def test_older_gpus_get_float16(
    capability: tuple[int, int], expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    monkeypatch.setattr(device_module, "_convolves", lambda device, precision: True)
    assert resolve_precision(torch.device("cuda")) is expected


def test_auto_leaves_a_gpu_that_this_pytorch_has_no_kernels_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **named: object) -> torch.Tensor:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    device_module._convolves.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch, "ones", fail)
    assert resolve_device("auto") == torch.device("cpu")
    assert "cannot be used" in caplog.text
    device_module._convolves.cache_clear()


def test_a_gpu_whose_16_bits_come_to_no_number_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    def nan(x: torch.Tensor, *args: object, **named: object) -> torch.Tensor:
        return torch.full_like(x, float("nan"))

    device_module._convolves.cache_clear()
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 5))
    ones, full = torch.ones, torch.full
    on_processor = {"device": "cpu"}
    monkeypatch.setattr(torch, "ones", lambda *size, **named: ones(*size, **named | on_processor))
    monkeypatch.setattr(torch, "full", lambda *args, **named: full(*args, **named | on_processor))
    assert resolve_precision(torch.device("cuda")) is torch.float16
    device_module._convolves.cache_clear()
    monkeypatch.setattr(torch.nn.functional, "conv2d", nan)
    assert resolve_precision(torch.device("cuda")) is torch.float32
    device_module._convolves.cache_clear()


def test_memory_that_pytorch_keeps_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 70)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 30)
    assert free_gpu_memory(torch.device("cuda")) == 140
    assert free_gpu_memory(torch.device("cpu")) is None


def test_float32_may_be_requested_on_the_cpu() -> None:
    assert choose_precision(torch.device("cpu"), "float32") == torch.float32
    assert choose_precision(torch.device("cpu"), "auto") == resolve_precision(torch.device("cpu"))


def test_bfloat16_is_refused_where_the_processor_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "_has_cpu_bfloat16", lambda: True)
    assert choose_precision(torch.device("cpu"), "bfloat16") == torch.bfloat16
    monkeypatch.setattr(device_module, "_has_cpu_bfloat16", lambda: False)
    with pytest.raises(DeviceError, match="does not compute in bfloat16; try --precision"):
        choose_precision(torch.device("cpu"), "bfloat16")


def test_exact_float32_lasts_for_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with exact_float32(torch.device("cuda")):
        assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.allow_tf32
    with exact_float32(torch.device("cpu")):
        assert torch.backends.cudnn.allow_tf32
