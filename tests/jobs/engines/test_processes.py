"""Worker processes: dead ones are replaced, each error is one message, and none remains after the run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from vidrestore.errors import OutputError
from vidrestore.jobs.engines.in_process import InProcessEngine
from vidrestore.jobs.engines.processes import ProcessEngine
from vidrestore.jobs.engines.protocol import (
    MAX_ATTEMPTS,
    Event,
    Task,
    TaskDone,
    TaskFailed,
    TaskProgress,
    WorkerLost,
)


@dataclass(frozen=True)
class Counting:
    """Notes each attempt in a file; dies in the first `deaths`."""

    number: int
    folder: Path
    deaths: int = 0
    error: Exception | None = None
    seconds: float = 0.0
    name: str = "a count"

    def run(self, attempt: int) -> Iterator[Any]:
        yield TaskProgress(number=self.number, frames=1)
        (self.folder / f"{self.number}-{attempt}").touch()
        if attempt < self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.error is not None:
            raise self.error
        time.sleep(self.seconds)
        yield self.number * 10


@dataclass(frozen=True)
class SeeingGpus:
    """Says which GPUs its worker may use; takes long enough for another worker to get the next task."""

    number: int
    name: str = "a look"

    def run(self, attempt: int) -> Iterator[Any]:
        time.sleep(1)
        yield os.environ.get("CUDA_VISIBLE_DEVICES")


def all_events(engine: ProcessEngine | InProcessEngine, tasks: Sequence[Task]) -> list[Event]:
    events: list[Event] = []
    for task in tasks:
        while not engine.has_capacity:
            events += engine.events(wait=True)
        engine.submit(task)
    while not engine.is_idle:
        events += engine.events(wait=True)
    return events


def results(events: list[Event]) -> dict[int, Any]:
    return {event.number: event.result for event in events if isinstance(event, TaskDone)}


def test_one_worker_needs_no_process(tmp_path: Path) -> None:
    error = OutputError("the disk is full")
    events = all_events(InProcessEngine(), [Counting(0, tmp_path), Counting(1, tmp_path, error=error)])
    assert results(events) == {0: 0}
    assert [event.error for event in events if isinstance(event, TaskFailed)] == [error]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_the_task_of_a_dead_worker_is_repeated_a_limited_number_of_times(tmp_path: Path) -> None:
    defect = Counting(3, tmp_path, error=ValueError("no such\nthing"), name="the third")
    tasks = [Counting(0, tmp_path), Counting(2, tmp_path, deaths=9), defect]
    with ProcessEngine(2, gpus=0, threads=1) as engine:
        events = all_events(engine, tasks)
        workers = engine.process_ids
    assert results(events) == {0: 0}
    assert [event.number for event in events if isinstance(event, WorkerLost)] == [2] * (MAX_ATTEMPTS - 1)
    failed = {event.number: str(event.error) for event in events if isinstance(event, TaskFailed)}
    assert (
        "a count could not be restored: 3 workers died while restoring it, the last by signal 9" in failed[2]
    )
    assert failed[3] == "the third could not be restored: ValueError: no such thing"
    assert len(list(tmp_path.glob("2-*"))) == MAX_ATTEMPTS
    assert not any(psutil.pid_exists(pid) for pid in workers)


@pytest.mark.parametrize(("visible", "expected"), [("2,GPU-7a", ["2", "GPU-7a"]), (None, ["0", "1"])])
def test_workers_share_the_gpus_that_the_user_was_given(
    visible: str | None, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with ProcessEngine(2, gpus=2, threads=1) as engine:
        seen = results(all_events(engine, [SeeingGpus(0), SeeingGpus(1)]))
    assert sorted(seen.values()) == expected


@pytest.mark.parametrize("after", [0.1, 0.4, 0.8, 1.6])
def test_a_worker_that_is_ended_while_it_loads_says_nothing(
    after: float, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with ProcessEngine(1, gpus=0, threads=1) as engine:
        engine.submit(Counting(number=0, folder=tmp_path, seconds=60))
        time.sleep(after)
        engine.cancel()
    assert capfd.readouterr().err == ""
