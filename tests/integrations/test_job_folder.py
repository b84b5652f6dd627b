"""Jobs in folders: arguments in, a status out, a file to cancel."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.clips import Clip, make_clip
from vidrestore.integrations import job_folder
from vidrestore.integrations.job_folder import main, note_state, run_job, waiting_jobs, watch

SECONDS = 300


def job(folder: Path, *words: str) -> Path:
    folder.mkdir()
    (folder / "arguments.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return folder


def status(folder: Path) -> list[str]:
    try:
        return (folder / "status.txt").read_text("utf-8").splitlines()
    except OSError:
        return ["missing"]


def waiting(tmp_path: Path) -> list[str]:
    """A command that says that it is at the half, and waits to be ended."""
    program = tmp_path / "command.py"
    program.write_text(
        "import json, sys\n"
        "line = {'event': 'progress', 'stage': 'restoring', 'frames': 5, 'total': 10, 'eta': None}\n"
        "print(json.dumps(line), file=sys.stderr, flush=True)\n"
        "sys.stdin.read()\n"
    )
    return [sys.executable, str(program)]


def test_a_job_runs_to_its_end(tmp_path: Path) -> None:
    make_clip(tmp_path / "ä in.mkv", Clip(frames=5))
    folder = job(tmp_path / "job", "restore", str(tmp_path / "ä in.mkv"), str(tmp_path / "out.mkv"))
    assert main(["--run", str(folder)]) == 0
    assert status(folder) == ["done", "1000", "done"]
    assert (tmp_path / "out.mkv").is_file()


def test_the_status_file_follows_a_job_and_a_cancel_file_ends_it(tmp_path: Path) -> None:
    folder, states = job(tmp_path / "job", "restore", "a", "b"), list[str]()
    thread = threading.Thread(target=lambda: states.append(run_job(folder, waiting(tmp_path)).state))
    thread.start()
    deadline = time.monotonic() + SECONDS
    while "500" not in status(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status(folder) == ["running", "500", "restoring: 5/10 frames"]
    (folder / "cancel").touch()
    thread.join(SECONDS)
    assert states == ["cancelled"]
    assert status(folder) == ["cancelled", "-1", "cancelled"]


def test_a_failed_job_writes_its_error_into_the_status(tmp_path: Path) -> None:
    folder = job(tmp_path / "job", "restore", str(tmp_path / "missing.mov"), str(tmp_path / "out.mov"))
    assert main(["--run", str(folder)]) == 1
    state, share, text = status(folder)
    assert (state, share) == ("failed", "-1")
    assert "missing.mov" in text


@pytest.mark.parametrize("content", [b"", b"train\n", b"\xff\xfe"])
def test_an_invalid_job_file_fails(content: bytes, tmp_path: Path) -> None:
    folder = job(tmp_path / "job")
    (folder / "arguments.txt").write_bytes(content)
    assert run_job(folder).state == "failed"
    assert status(folder)[0] == "failed"


def test_the_error_of_an_unknown_command_names_the_file_and_the_commands(tmp_path: Path) -> None:
    ended = run_job(job(tmp_path / "job", "train"))
    assert ended.text == "the first line of arguments.txt must be one of: restore, resume, inspect, edit"


def test_jobs_that_appear_in_a_watched_folder_run_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(folder: Path) -> str:
        ran.append(folder.name)
        (folder / "status.txt").touch()
        return "done"

    monkeypatch.setattr(job_folder, "run_job", run)
    for name in ("b", "a"):
        job(tmp_path / name, "restore")
    (tmp_path / "not a job").mkdir()
    watch(tmp_path, rounds=2)
    assert ran == ["a", "b"]


def test_a_job_whose_file_is_still_growing_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job(tmp_path / "a", "restore")

    def grow(_: float) -> None:
        with (folder / "arguments.txt").open("a") as words:
            words.write("one more\n")

    monkeypatch.setattr(job_folder.time, "sleep", grow)
    assert waiting_jobs(tmp_path) == []
    monkeypatch.undo()
    assert waiting_jobs(tmp_path) == [folder]
    note_state(folder, "queued", "waiting in the queue")
    assert waiting_jobs(tmp_path) == []
    assert status(folder) == ["queued", "-1", "waiting in the queue"]


def test_a_detached_job_outlives_what_started_it(tmp_path: Path) -> None:
    folder = job(tmp_path / "job", "restore", str(tmp_path / "missing.mov"), str(tmp_path / "out.mov"))
    module = [sys.executable, "-m", "vidrestore.integrations.job_folder"]
    subprocess.run([*module, str(folder)], timeout=SECONDS, check=True)
    deadline = time.monotonic() + SECONDS
    while status(folder)[0] != "failed" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status(folder)[0] == "failed"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"restore\n\xff\n", "arguments.txt is not text in UTF-8"),
        (None, "arguments.txt cannot be read: No such"),
    ],
)
def test_arguments_that_cannot_be_read_are_explained_in_plain_words(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "arguments.txt").write_bytes(content)
    assert main(["--run", str(tmp_path)]) == 1
    assert status(tmp_path)[2].startswith(sentence)


@pytest.mark.parametrize("option", [[], ["--run"], ["--watch"]])
def test_a_folder_that_does_not_exist_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    monkeypatch.setattr(job_folder, "start_detached", lambda _: pytest.fail("started"))
    missing = tmp_path / "missing"
    assert main([*option, str(missing)]) == 2
    assert capsys.readouterr().err == f"there is no folder {missing}; create it, or choose another one\n"


def test_arguments_start_a_job_watch_a_folder_or_print_the_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ([], ["--start", str(tmp_path)], ["--watch"] * 3):
        assert main(words) == 2
        assert capsys.readouterr().err.startswith("usage: ")
    started: list[Path] = []
    monkeypatch.setattr(job_folder, "start_detached", started.append)
    assert main([str(tmp_path)]) == 0
    assert started == [tmp_path]

    def interrupted(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(job_folder, "watch", interrupted)
    assert main(["--watch", str(tmp_path)]) == 0


def test_a_job_is_cancelled_when_its_watcher_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = job(tmp_path / "job", "restore", "a", "b")
    rest = job_folder.ChildCommand.wait

    def interrupted(self: job_folder.ChildCommand, seconds: float | None = None) -> bool:
        if self.progress:
            monkeypatch.setattr(job_folder.ChildCommand, "wait", rest)
            raise KeyboardInterrupt
        return rest(self, seconds)

    monkeypatch.setattr(job_folder.ChildCommand, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_job(folder, waiting(tmp_path))
    assert status(folder) == ["cancelled", "-1", "the program that runs the jobs was ended"]
