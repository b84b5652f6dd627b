"""The device of these tests: CUDA (marked gpu) and Apple's GPU (marked mps), each only where it is.

Slow runs also take the CPU as the device, which shows that the tests themselves are right.

VIDRESTORE_REQUIRE_GPU=cuda or =mps turns the skip into a failure, for machines that must have one.
"""

from __future__ import annotations

import os

import pytest
import torch


@pytest.fixture(
    params=[
        pytest.param("cuda", marks=pytest.mark.gpu),
        pytest.param("mps", marks=pytest.mark.mps),
        pytest.param("cpu", marks=pytest.mark.slow),
    ]
)
def device(request: pytest.FixtureRequest) -> torch.device:
    return found(request.param)


@pytest.fixture
def cuda() -> torch.device:
    return found("cuda")


def found(name: str) -> torch.device:
    """The device, or the test is skipped."""
    reason = _why_not(name)
    if reason and os.environ.get("VIDRESTORE_REQUIRE_GPU") == name:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    return torch.device(name)


def _why_not(name: str) -> str:
    if name == "cpu":
        return ""
    is_there = torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available()
    if not is_there:
        return f"there is no {name} device"
    try:
        torch.ones(1024, 1024, device=name).sum().item()
    except RuntimeError as error:  # virtual machines may show a GPU without any memory
        return f"the {name} device does not work here: {error}".partition("\n")[0]
    return ""
