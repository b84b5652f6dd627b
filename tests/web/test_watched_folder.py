"""Jobs that programs write into a folder are jobs of the queue."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from vidrestore.errors import UsageError
from vidrestore.integrations.job_folder import note_state
from vidrestore.web import job_store
from vidrestore.web.job_process import lines_path
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.watched_folder import WatchedFolder

LIMIT_SECONDS = 120


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    (tmp_path / "watched").mkdir(mode=0o755)
    return tmp_path / "watched"


def job(watched: Path, name: str, *words: str) -> Path:
    (watched / name).mkdir()
    (watched / name / "arguments.txt").write_text("\n".join(words), encoding="utf-8")
    return watched / name


def status(folder: Path) -> list[str]:
    return (folder / "status.txt").read_text("utf-8").splitlines()


def make_runner(tmp_path: Path, watched: Path) -> JobRunner:
    (tmp_path / "state").mkdir(exist_ok=True)
    return JobRunner(tmp_path / "state", watched=watched)


def test_jobs_of_the_folder_are_queued_once_in_order(
    tmp_path: Path, watched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, folders = make_runner(tmp_path, watched), [job(watched, n, "restore") for n in ("a", "b")]
    monkeypatch.setattr(runner, "_start", lambda _: None)
    for _ in range(4):
        runner.step()
    assert [(j.kind, j.input) for j in runner.store.all()] == [("folder", str(path)) for path in folders]
    assert [status(path)[0] for path in folders] == ["queued", "queued"]


def test_a_server_that_was_killed_before_it_noted_the_job_does_not_queue_it_twice(
    tmp_path: Path, watched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job(watched, "a", "restore")
    for _ in range(2):
        runner = make_runner(tmp_path, watched)
        monkeypatch.setattr(runner, "_start", lambda _: None)
        runner.step()
        runner.step()
        (folder / "status.txt").unlink()
    assert len(runner.store.all()) == 1


def test_a_full_queue_leaves_jobs_of_the_folder_waiting(
    tmp_path: Path, watched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_store, "MAX_WAITING", 1)
    runner, folders = make_runner(tmp_path, watched), [job(watched, n, "restore") for n in ("a", "b")]
    monkeypatch.setattr(runner, "_start", lambda _: None)
    for _ in range(3):
        runner.step()
    assert len(runner.store.all()) == 1
    assert not (folders[1] / "status.txt").exists()
    runner.store.update(runner.store.all()[0].id, state="done")
    for _ in range(3):
        runner.step()
    assert len(runner.store.all()) == 2


def test_a_job_runs_and_its_end_is_in_the_queue_and_in_its_folder(tmp_path: Path, watched: Path) -> None:
    runner = make_runner(tmp_path, watched)
    folder = job(watched, "a", "restore", str(tmp_path / "missing.mov"), str(tmp_path / "out.mov"))
    limit = time.monotonic() + LIMIT_SECONDS
    while not runner.store.all() or runner.store.all()[0].state in ("queued", "running"):
        assert time.monotonic() < limit
        runner.step()
        time.sleep(0.05)
    (ended,) = runner.store.all()
    assert ended.state == "failed"
    assert "missing.mov" in ended.message
    assert status(folder)[0] == "failed"


@pytest.mark.parametrize("how", ["a file", "cancel", "remove"])
def test_a_job_that_waits_can_be_cancelled_from_both_sides(
    tmp_path: Path, watched: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    runner, folder = make_runner(tmp_path, watched), job(watched, "a", "restore")
    monkeypatch.setattr(runner, "_start", lambda _: None)
    runner.step()
    (queued,) = runner.store.all()
    assert status(folder)[0] == "queued"
    if how == "a file":
        (folder / "cancel").touch()
        runner.step()
    else:
        getattr(runner, how)(queued.id)
    runner.step()
    assert [each.state for each in runner.store.all()] == ([] if how == "remove" else ["cancelled"])
    assert status(folder)[0] == "cancelled"


def kill_while_running(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Kills a job's process, which has noted that the job is running."""
    note_state(folder, "running", "restoring")
    process.kill()
    process.wait(30)


def test_a_job_whose_process_was_killed_twice_is_failed_in_its_folder(
    tmp_path: Path, watched: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner, folder = make_runner(tmp_path, watched), job(watched, "a", "restore")
    runner.step()
    kill_while_running(started[0], folder)
    runner.step()
    assert (len(started), status(folder)[0]) == (2, "queued")
    kill_while_running(started[1], folder)
    runner.step()
    assert [each.state for each in runner.store.all()] == ["failed"]
    assert status(folder) == ["failed", "-1", "its process was killed twice"]


def test_a_job_that_was_cancelled_and_killed_is_cancelled_in_its_folder(
    tmp_path: Path, watched: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner, folder = make_runner(tmp_path, watched), job(watched, "a", "restore")
    runner.step()
    runner.cancel(runner.store.all()[0].id)
    kill_while_running(started[0], folder)
    runner.step()
    assert [each.state for each in runner.store.all()] == ["cancelled"]
    assert status(folder)[0] == "cancelled"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"event": "report", "frames": 3}, ["done", "1000", "done"]),
        ({"event": "error", "text": "a defect"}, ["failed", "-1", "a defect"]),
    ],
)
def test_an_end_that_the_job_could_not_note_is_in_its_folder(
    tmp_path: Path, watched: Path, started: list[subprocess.Popen[bytes]],
    last: dict[str, str], expected: list[str],
) -> None:  # fmt: skip
    runner, folder = make_runner(tmp_path, watched), job(watched, "a", "restore")
    runner.step()
    lines_path(runner.folder, runner.store.all()[0].id).write_text(json.dumps(last) + "\n")
    kill_while_running(started[0], folder)
    runner.step()
    assert status(folder) == expected


@pytest.mark.parametrize("is_removed", [False, True])
def test_an_end_that_the_job_has_noted_is_left_to_the_host(
    tmp_path: Path, watched: Path, started: list[subprocess.Popen[bytes]], is_removed: bool
) -> None:
    runner, folder = make_runner(tmp_path, watched), job(watched, "a", "restore")
    runner.step()
    (ended,) = runner.store.all()
    lines_path(runner.folder, ended.id).write_text('{"event": "error", "text": "no input"}\n')
    kill_while_running(started[0], folder)
    note_state(folder, "failed", "noted by the job")
    if is_removed:  # to run the job once more
        (folder / "status.txt").unlink()
    runner.step()
    if is_removed:
        assert [each.state for each in runner.store.all()] == ["failed", "running"]
    else:
        assert status(folder)[2] == "noted by the job"


def test_a_job_that_is_retried_is_queued_in_its_folder(
    tmp_path: Path, watched: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    runner, folder = make_runner(tmp_path, watched), job(watched, "a", "restore")
    runner.step()
    runner.cancel(runner.store.all()[0].id)
    kill_while_running(started[0], folder)
    runner.step()
    runner.retry(runner.store.all()[0].id)
    assert status(folder)[0] == "queued"


@pytest.mark.parametrize("mode", [0o757, 0o777])
def test_a_folder_that_everybody_may_write_into_is_refused(watched: Path, mode: int) -> None:
    watched.chmod(mode)
    with pytest.raises(UsageError, match="all users"):
        WatchedFolder(watched)


def test_a_watched_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a folder"):
        WatchedFolder(tmp_path / "none")
