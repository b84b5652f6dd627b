"""Jobs outlive their server: adopted while they run, queued again when they were killed."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from vidrestore.errors import UsageError
from vidrestore.web import job_runner
from vidrestore.web.job_process import lines_path
from vidrestore.web.job_runner import JobRunner

LIMIT_SECONDS = 60


def until(runner: JobRunner, holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < limit
        runner.step()
        time.sleep(0.02)


def state(runner: JobRunner, number: int) -> str:
    return runner.store.get(number).state


def end(process: subprocess.Popen[bytes], folder: Path, number: int, last: dict[str, Any] | None) -> None:
    """Ends a job's process, which has written this line before."""
    if last is not None:
        lines_path(folder, number).write_text(json.dumps(last) + "\n")
    process.kill()
    process.wait(30)


def test_one_restoration_runs_at_a_time_in_the_order_of_the_queue(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner = JobRunner(tmp_path)
    first, second, third = (runner.store.add("restore", Path("a"), Path("b"), {}).id for _ in range(3))
    runner.store.move(third, second)
    runner.step()
    assert [state(runner, n) for n in (first, second, third)] == ["running", "queued", "queued"]
    end(started[0], tmp_path, first, {"event": "report", "version": 1, "frames": 3})
    runner.step()
    assert [state(runner, n) for n in (first, second, third)] == ["done", "queued", "running"]
    assert runner.store.get(first).result["frames"] == 3


def test_a_new_server_adopts_what_runs_and_notes_what_has_ended(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner = JobRunner(tmp_path)
    number = runner.store.add("restore", Path("a"), Path("b"), {}).id
    runner.step()
    again = JobRunner(tmp_path)  # the first one is forgotten, as after SIGKILL
    again.step()
    assert (state(again, number), len(started)) == ("running", 1)
    end(started[0], tmp_path, number, {"event": "report", "frames": 1})
    again.step()
    assert state(again, number) == "done"


def test_a_job_that_was_killed_is_queued_again_once(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner = JobRunner(tmp_path)
    number = runner.store.add("restore", Path("a"), Path("b"), {}).id
    runner.step()
    end(started[0], tmp_path, number, None)
    runner.step()
    assert (state(runner, number), len(started)) == ("running", 2)
    end(started[1], tmp_path, number, None)
    runner.step()
    assert (state(runner, number), len(started)) == ("failed", 2)


def test_another_process_with_the_same_number_is_not_the_job(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner = JobRunner(tmp_path)
    number = runner.store.add("restore", Path("a"), Path("b"), {}).id
    runner.store.update(number, state="running", pid=os.getpid(), process_start="1")
    runner.step()
    assert (state(runner, number), len(started)) == ("running", 1)
    assert runner.store.get(number).pid == started[0].pid


def test_a_cancelled_job_is_interrupted_and_can_be_resumed(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner = JobRunner(tmp_path)
    number = runner.store.add("restore", Path("a"), Path("b"), {}).id
    runner.step()
    runner.cancel(number)
    until(runner, lambda: state(runner, number) == "cancelled")
    assert started[0].wait(30) != 0
    runner.retry(number)
    runner.step()
    assert (state(runner, number), len(started)) == ("running", 2)


def test_a_job_that_is_cancelled_while_its_process_starts_is_ended(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = JobRunner(tmp_path)
    number = runner.store.add("restore", Path("a"), Path("b"), {}).id
    start = job_runner.subprocess.Popen

    def cancelled_meanwhile(*what: Any, **how: Any) -> subprocess.Popen[bytes]:
        runner.cancel(number)
        return start(*what, **how)

    monkeypatch.setattr(job_runner.subprocess, "Popen", cancelled_meanwhile)
    runner.step()
    until(runner, lambda: state(runner, number) == "cancelled")
    assert started[0].wait(30) != 0


@pytest.mark.parametrize("act", [JobRunner.cancel, JobRunner.remove])
def test_a_job_that_was_cancelled_or_removed_just_before_its_start_is_not_started(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], act: Callable[[JobRunner, int], None]
) -> None:
    runner = JobRunner(tmp_path)
    job = runner.store.add("restore", Path("a"), Path("b"), {})
    act(runner, job.id)
    runner._start(job)
    assert started == []
    assert [job.state for job in runner.store.all()] in (["cancelled"], [])


def test_a_job_that_starts_while_it_is_being_removed_or_retried_stays_as_it_is(
    tmp_path: Path, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = JobRunner(tmp_path)
    job = runner.store.add("restore", Path("a"), Path("b"), {})
    runner.step()
    running = runner.store.get(job.id)
    monkeypatch.setattr(runner.store, "get", lambda _: job)  # as it was a moment ago
    with pytest.raises(UsageError, match="is running"):
        runner.remove(job.id)
    monkeypatch.setattr(runner.store, "get", lambda _: replace(job, state="failed"))
    runner.retry(job.id)
    assert runner.store.all() == [running]
    assert (tmp_path / f"{job.id}.log").exists()


def test_an_error_is_the_jobs_message(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    runner = JobRunner(tmp_path)
    number = runner.store.add("restore", Path("a"), Path("b"), {}).id
    runner.step()
    end(started[0], tmp_path, number, {"event": "error", "text": "there is no file a", "exit_code": 2})
    runner.step()
    assert (state(runner, number), runner.store.get(number).message) == ("failed", "there is no file a")


def test_a_process_writes_its_lines_and_its_end(tmp_path: Path) -> None:
    runner = JobRunner(tmp_path)
    number = runner.store.add("restore", tmp_path / "none.mp4", tmp_path / "b.mp4", {}).id
    runner.step()
    until(runner, lambda: state(runner, number) == "failed")
    assert "there is no file" in runner.store.get(number).message
