"""The tests' process waits as the command's does: busy machines are slow enough without spinning threads."""

import os
import sys
from collections.abc import Iterator

import psutil
import pytest

from vidrestore.runtime.openmp import limit_openmp_spin

# Both before any test imports torch.
limit_openmp_spin()
if "PYTEST_XDIST_WORKER" in os.environ:  # each core has a process of tests
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_BYTES_OF_A_PROCESS = 4_000_000_000
"""Twice what a process of tests was seen to need, with the commands that it starts."""


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """The number of processes for `-n auto`: one for each core, but no more than fit into the memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(cores, psutil.virtual_memory().available // _BYTES_OF_A_PROCESS), 1)


@pytest.fixture(autouse=True)
def no_test_becomes_a_real_time_thread() -> Iterator[None]:
    """As a real-time thread, a test that spins stops the whole machine, this run included."""
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getscheduler(0)
    yield
    assert os.sched_getscheduler(0) == before
