"""Networks that do not fit into a GPU's memory: on `auto` the CPU computes them, otherwise an error."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.support.memory_errors import DEVICE_ERRORS, HOST_ERRORS
from vidrestore.detection import make_detector
from vidrestore.errors import DeviceError, ProcessingError
from vidrestore.face_mesh import make_face_mesh
from vidrestore.identity import make_recogniser
from vidrestore.restoration import NetworkRestorer, make_restorer
from vidrestore.runtime import device as device_module
from vidrestore.runtime import device_memory
from vidrestore.runtime.device import choose_precision, resolve_device
from vidrestore.runtime.device_memory import place_networks
from vidrestore.runtime.system_errors import to_system_error
from vidrestore.weights import embedded_path

GPU = torch.device("cuda")
Error = Callable[[], Exception]


@pytest.fixture
def full_gpu(monkeypatch: pytest.MonkeyPatch) -> list[Error]:
    """A GPU that computes, but has no memory for modules: moving one raises the last error of the list."""
    errors = [DEVICE_ERRORS[0]]
    move = nn.Module.to

    def refuse(self: nn.Module, *where: Any, **how: Any) -> nn.Module:
        if any(torch.device(w).type == "cuda" for w in where if isinstance(w, torch.device | str)):
            raise errors[-1]()
        return move(self, *where, **how)

    monkeypatch.setattr(nn.Module, "to", refuse)
    monkeypatch.setattr(
        device_memory, "resolve_device", lambda name: GPU if name in ("auto", "cuda") else name
    )
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (9, 0))
    monkeypatch.setattr(device_module, "_convolves", lambda device, precision: True)
    return errors


def compact(device: str, **how: Any) -> NetworkRestorer:
    return make_restorer(embedded_path("compact.safetensors"), device=device, precision="float32", **how)


@pytest.mark.parametrize("error", DEVICE_ERRORS)
def test_networks_that_do_not_fit_are_computed_by_the_cpu_on_auto(
    full_gpu: list[Error], error: Error, caplog: pytest.LogCaptureFixture
) -> None:
    full_gpu.append(error)
    with caplog.at_level(logging.WARNING, logger="vidrestore"):
        restorer = compact("auto")
    assert restorer.device.type == "cpu"
    (face,) = torch.rand(1, 256, 256, 3).numpy()
    assert restorer.decode(restorer.predict(restorer.encode([face])))[0].shape == (256, 256, 3)
    assert [record.getMessage() for record in caplog.records] == [
        "there is not enough free memory on cuda for the networks that restore faces; the CPU computes them. "
        "Close other programs that use the GPU"
    ]


@pytest.mark.parametrize("error", DEVICE_ERRORS)
def test_a_full_gpu_that_the_user_chose_gives_one_error_message(full_gpu: list[Error], error: Error) -> None:
    full_gpu.append(error)
    with pytest.raises(ProcessingError, match="not enough free memory on cuda for the networks") as caught:
        compact("cuda")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("error", HOST_ERRORS)
def test_a_lack_of_the_computers_memory_is_not_taken_for_a_full_gpu(
    full_gpu: list[Error], error: Error
) -> None:
    full_gpu.append(error)
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        compact("auto")
    assert "close other programs" in str(to_system_error(caught.value))


def test_other_errors_while_moving_networks_are_raised_unchanged(full_gpu: list[Error]) -> None:
    full_gpu.append(lambda: RuntimeError("a defect"))
    with pytest.raises(RuntimeError, match="a defect"):
        compact("auto")


def test_networks_to_compile_are_not_left_to_the_cpu(
    full_gpu: list[Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrestore.restoration.compiled.find_spec", lambda name: name)
    with pytest.raises(DeviceError, match="--compile needs an NVIDIA GPU"):
        compact("auto", compile_networks=True)


@pytest.mark.parametrize("make", [make_recogniser, make_face_mesh])
def test_recogniser_and_face_mesh_use_the_cpu_if_the_gpu_is_full(
    full_gpu: list[Error], make: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert full_gpu
    make("auto")
    assert "the CPU computes them" in caplog.text
    with pytest.raises(ProcessingError, match="not enough free memory on cuda"):
        make("cuda")


def test_retinaface_uses_the_cpu_if_the_gpu_is_full(
    full_gpu: list[Error], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert full_gpu
    monkeypatch.setattr(
        "vidrestore.detection.retinaface.load_retinaface",
        lambda kind, path, device: nn.Linear(1, 1).to(device),
    )
    detector = make_detector(f"retinaface_resnet50={Path(__file__)}", "auto")
    assert detector.frames_ahead == 0  # type: ignore[attr-defined]
    assert "for the network that finds faces; the CPU computes them" in caplog.text
    with pytest.raises(
        ProcessingError, match="not enough free memory on cuda for the network that finds faces"
    ):
        make_detector(f"retinaface_resnet50={Path(__file__)}", "cuda")


def test_what_was_moved_is_released_before_the_cpu_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_memory, "resolve_device", lambda name: GPU)
    moved: list[weakref.ref[nn.Module]] = []

    def place(device: torch.device) -> str:
        if device.type == "cpu":
            gc.collect()
            assert moved[0]() is None
            return "placed"
        network = nn.Linear(2, 2)
        moved.append(weakref.ref(network))
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert place_networks("auto", place, what="networks") == "placed"


@pytest.mark.parametrize("error", DEVICE_ERRORS)
def test_auto_skips_a_full_gpu_and_tries_it_again_next_time(
    error: Error, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> torch.Tensor:
        raise error()

    device_module._convolves.cache_clear()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    ones, full = torch.ones, torch.full
    monkeypatch.setattr(torch, "ones", fail)
    assert resolve_device("auto") == torch.device("cpu")
    assert "other programs use all of its memory" in caplog.text
    assert "kernels" not in caplog.text
    monkeypatch.setattr(torch, "ones", lambda *size, **how: ones(*size, **how | {"device": "cpu"}))
    monkeypatch.setattr(torch, "full", lambda *size, **how: full(*size, **how | {"device": "cpu"}))
    assert resolve_device("auto") == torch.device("cuda")
    device_module._convolves.cache_clear()


def test_a_full_apple_gpu_is_not_reported_to_compute_wrong_numbers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(device: torch.device, precision: torch.dtype) -> torch.Tensor:
        if device.type == "cpu":
            return torch.ones(1)
        raise RuntimeError("MPS backend out of memory (MPS allocated: 6.0 GB)")

    monkeypatch.setattr("vidrestore.runtime.device_trial._small_network", fail)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cpu")
    assert "other programs use all of its memory" in caplog.text
    assert "wrong numbers" not in caplog.text


def test_a_full_gpu_does_not_lead_to_another_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """float32, taken silently, would need twice the memory."""

    def fail(*_: object, **__: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    device_module._convolves.cache_clear()
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (9, 0))
    monkeypatch.setattr(torch, "ones", fail)
    with pytest.raises(torch.OutOfMemoryError):
        choose_precision(GPU, "auto")
