"""Pictures are copied to a device and back unchanged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.memory_errors import DEVICE_ERRORS
from vidrestore.restoration import pinned_copies
from vidrestore.restoration.pinned_copies import from_device, to_device


@pytest.mark.parametrize(
    "name",
    [
        "cpu",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
        ),
        pytest.param(
            "mps",
            marks=pytest.mark.skipif(not torch.backends.mps.is_available(), reason="needs an Apple GPU"),
        ),
    ],
)
def test_pictures_come_back_as_they_went_and_in_whatever_order_they_lie(name: str) -> None:
    faces = [np.random.default_rng(i).random((16, 16, 3), np.float32) for i in range(3)]
    there = to_device(faces, torch.device(name))
    assert there.device.type == name
    assert there.shape == (3, 16, 16, 3)
    turned = there.permute(0, 2, 1, 3)
    for face, same, transposed in zip(faces, from_device(there), from_device(turned), strict=True):
        assert np.array_equal(face, same)
        assert np.array_equal(face.transpose(1, 0, 2), transposed)


@pytest.mark.parametrize("error", DEVICE_ERRORS[:2])
def test_without_pinned_memory_other_memory_is_used_with_one_warning(
    error: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    empty = torch.empty

    def no_pinned(*size: Any, pin_memory: bool = False, **how: Any) -> torch.Tensor:
        if pin_memory:
            raise error()
        return empty(*size, **how)

    pinned_copies._warn_of_slow_copies.cache_clear()
    monkeypatch.setattr(torch, "empty", no_pinned)
    with caplog.at_level(logging.WARNING, logger="vidrestore"):
        pieces = [pinned_copies._pinned_memory((2, 3), torch.uint8) for _ in range(2)]
    assert [piece.shape for piece in pieces] == [(2, 3), (2, 3)]
    assert [record.getMessage() for record in caplog.records] == [
        "the system gives no more pinned memory, so copies to and from the GPU are slower"
    ]


def test_other_errors_of_pinned_memory_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> torch.Tensor:
        raise RuntimeError("a defect")

    monkeypatch.setattr(torch, "empty", fail)
    with pytest.raises(RuntimeError, match="a defect"):
        pinned_copies._pinned_memory((2, 3), torch.uint8)
