"""A device counts as right if it computes what the CPU computes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from vidrestore.runtime.device_trial import agrees_with_cpu

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def forgets() -> Iterator[None]:
    agrees_with_cpu.cache_clear()
    yield
    agrees_with_cpu.cache_clear()


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_cpu_agrees_with_itself_in_every_precision(precision: torch.dtype) -> None:
    assert agrees_with_cpu(CPU, precision)


@pytest.mark.parametrize("wrong", ["zeros", "channels", "nan"])
def test_a_device_that_computes_wrong_numbers_is_rejected(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    convolve = torch.nn.functional.conv2d
    calls = 0

    def conv2d(x: torch.Tensor, *args: object, **named: object) -> torch.Tensor:
        nonlocal calls
        calls += 1
        right = convolve(x, *args, **named)
        if calls <= 2:  # the CPU's own two convolutions come first
            return right
        if wrong == "zeros":
            return torch.zeros_like(right)
        return right.flip(1) if wrong == "channels" else torch.full_like(right, float("nan"))

    monkeypatch.setattr(torch.nn.functional, "conv2d", conv2d)
    assert not agrees_with_cpu(CPU, torch.float32)


def test_a_precision_that_the_device_lacks_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*args: object, **named: object) -> torch.Tensor:
        raise TypeError("BFloat16 is not supported on MPS")

    monkeypatch.setattr(torch.nn.functional, "group_norm", lacking)
    assert not agrees_with_cpu(CPU, torch.bfloat16)
