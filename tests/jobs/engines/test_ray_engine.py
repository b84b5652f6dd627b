"""The engine of a Ray cluster, on a cluster that it starts on this computer.

Takes a minute, so it runs where VIDRESTORE_TEST_RAY is set.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.shared import ROOT
from vidrestore.jobs.engines.protocol import Event, TaskDone, TaskProgress, WorkerLost

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.skipif(
        not os.environ.get("VIDRESTORE_TEST_RAY"), reason="takes a minute: set VIDRESTORE_TEST_RAY=1"
    ),
    pytest.mark.slow,
]


@dataclass(frozen=True)
class Looking:
    """A task whose result is its process and the number of its threads; it kills its first process."""

    number: int
    folder: Path
    dies: bool = False

    @property
    def name(self) -> str:
        return f"look {self.number}"

    def run(self, attempt: int) -> Iterator[object]:
        import torch

        yield TaskProgress(number=self.number, frames=1)
        if self.dies and attempt == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        yield (os.getpid(), torch.get_num_threads())


def run_all(tasks: list[Looking]) -> list[Event]:
    from vidrestore.jobs.engines.ray_cluster import RayEngine

    events: list[Event] = []
    with RayEngine(1, on_gpus=True) as engine:
        for task in tasks:
            engine.submit(task)
        while not engine.is_idle:
            events += engine.events(wait=True)
    return events


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two cores, whatever this computer has."""
    import ray

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    environment = {"env_vars": {"PYTHONPATH": str(ROOT)}}
    ray.init(
        num_cpus=2, num_gpus=0, include_dashboard=False, object_store_memory=100_000_000,
        runtime_env=environment, log_to_driver=False,
    )  # fmt: skip
    yield
    ray.shutdown()


def test_a_worker_keeps_its_process_and_has_the_cores_of_its_machine(tmp_path: Path) -> None:
    events = run_all([Looking(0, tmp_path), Looking(1, tmp_path), Looking(2, tmp_path)])
    found = [event.result for event in events if isinstance(event, TaskDone)]
    assert len(found) == 3
    assert len({process for process, _ in found}) == 1
    assert {threads for _, threads in found} == {2}


def test_the_task_of_a_worker_that_dies_is_repeated_by_another(tmp_path: Path) -> None:
    events = run_all([Looking(0, tmp_path, dies=True), Looking(1, tmp_path)])
    assert [event.number for event in events if isinstance(event, WorkerLost)] == [0]
    assert sorted(event.number for event in events if isinstance(event, TaskDone)) == [0, 1]
