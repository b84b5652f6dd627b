"""Runs jobs that are described by files in a folder, for hosts whose scripts cannot follow a process.

    python -m vidrestore.integrations.job_folder FOLDER           starts the job and returns
    python -m vidrestore.integrations.job_folder --watch FOLDER   runs the jobs in FOLDER one after the other

The host writes `arguments.txt` into the folder: the arguments of `vidrestore`, one a line, in UTF-8. It reads
`status.txt`: the state (queued, running, done, failed or cancelled), progress in thousandths (-1: unknown)
and one line of text, each on its own line. A file `cancel` cancels the job. docs/job-folders.md describes
this for authors of such scripts; `vidrestore web --watch FOLDER` runs the same jobs in its queue.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidrestore.integrations.child_command import PATIENCE_SECONDS, ChildCommand

ARGUMENTS, STATUS, CANCEL = "arguments.txt", "status.txt", "cancel"
WATCHED = "vidrestore-jobs"
"""Folder in the user's home for the jobs of plugins that cannot start a program."""
COMMANDS = ("restore", "resume", "inspect", "edit")
"""The commands that a job may run."""
PAUSE_SECONDS = 0.25
_GROWING_SECONDS = 0.1
"""Time without growth after which a file is complete."""
_MAX_ARGUMENTS_BYTES = 256_000
_LAST_STATUS_SECONDS = 10.0
"""How long writing the last status is retried: on Windows it fails while the host reads the file."""


@dataclass(frozen=True)
class EndedJob:
    """The end of a job."""

    state: str
    """done, failed or cancelled."""
    text: str
    """One line of text for the user."""
    report: dict[str, Any]
    """The report of a job that succeeded; otherwise empty."""


def run_job(
    folder: Path,
    command: Sequence[str] | None = None,
    *,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> EndedJob:
    """Run a job until its end. `status.txt` has the progress until then.

    Args:
        folder: The job's folder.
        command: The program and arguments that start vidrestore; None: this Python.
        on_progress: Called with the values of each new line of progress.

    Returns:
        How the job ended.
    """
    try:
        arguments = _arguments(folder)
    except UnicodeDecodeError:
        return _end(folder, "failed", f"{ARGUMENTS} is not text in UTF-8")
    except OSError as error:
        return _end(folder, "failed", f"{ARGUMENTS} cannot be read: {error.strerror or error}")
    if not arguments or arguments[0] not in COMMANDS:
        return _end(folder, "failed", f"the first line of {ARGUMENTS} must be one of: {', '.join(COMMANDS)}")
    if (folder / CANCEL).exists():
        return _end(folder, "cancelled", "cancelled")
    running, shown = ChildCommand(arguments, command=command or [sys.executable, "-m", "vidrestore"]), None
    try:
        while not running.wait(PAUSE_SECONDS):
            if (folder / CANCEL).exists():
                running.cancel()
            share = -1 if running.share is None else int(running.share * 1000)
            _write_status(folder, "running", share, running.text)
            if on_progress is not None and running.progress is not shown:
                shown = running.progress
                on_progress(shown)
    except KeyboardInterrupt:  # this process ends, so nothing would follow the command
        running.cancel()
        running.wait(PATIENCE_SECONDS + PAUSE_SECONDS)
        _end(folder, "cancelled", "the program that runs the jobs was ended")
        raise
    return _end(folder, running.state, running.text, running.report)


def watch(folder: Path, *, rounds: int | None = None) -> None:
    """Run each new job in `folder`: each folder in it with `arguments.txt` and without `status.txt`.

    Args:
        folder: The folder in which hosts create a folder for each job.
        rounds: How often to search the folder; None: until the process is ended.
    """
    while rounds is None or rounds > 0:
        for job in waiting_jobs(folder):
            run_job(job)
        rounds = None if rounds is None else rounds - 1
        time.sleep(PAUSE_SECONDS)


def waiting_jobs(folder: Path) -> list[Path]:
    """The folders of new jobs in `folder` whose `arguments.txt` is completely written."""
    sizes = _argument_sizes(folder)
    if not sizes:
        return []
    time.sleep(_GROWING_SECONDS)
    again = _argument_sizes(folder)
    return [job for job, size in sizes.items() if again.get(job) == size]


def note_state(folder: Path, state: str, text: str) -> None:
    """Write the status of a job that is not running.

    Args:
        folder: The job's folder.
        state: queued or cancelled.
        text: One line of text for the user.
    """
    _write_status(folder, state, -1, text)


def note_end(folder: Path, state: str, text: str) -> None:
    """Write how a job ended whose process may have been killed before it did so itself.

    Nothing is written if an end is noted already, or if the host has removed `status.txt` to run it again.

    Args:
        folder: The job's folder.
        state: done, failed or cancelled.
        text: One line of text for the user.
    """
    if _noted_state(folder) in ("queued", "running"):
        _write_status(folder, state, _thousandths_at_end(state), text)


def start_detached(folder: Path) -> None:
    """Start the job in a process that continues when this one ends."""
    options: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        flags = ("DETACHED_PROCESS", "CREATE_NEW_PROCESS_GROUP")
        options = {"creationflags": sum(getattr(subprocess, flag) for flag in flags)}
    subprocess.Popen(
        [sys.executable, "-m", "vidrestore.integrations.job_folder", "--run", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    if len(arguments) not in (1, 2) or (len(arguments) == 2 and arguments[0] not in ("--run", "--watch")):
        sys.stderr.write("usage: python -m vidrestore.integrations.job_folder [--watch] FOLDER\n")
        return 2
    if not Path(arguments[-1]).is_dir():
        sys.stderr.write(f"there is no folder {arguments[-1]}; create it, or choose another one\n")
        return 2
    if len(arguments) == 1:
        start_detached(Path(arguments[0]))
        return 0
    if arguments[0] == "--run":
        return 0 if run_job(Path(arguments[1])).state == "done" else 1
    with suppress(KeyboardInterrupt):
        watch(Path(arguments[1]))
    return 0


def _argument_sizes(folder: Path) -> dict[Path, int]:
    """Size of `arguments.txt` of each new job, by folder [bytes]."""
    sizes: dict[Path, int] = {}
    for file in sorted(folder.glob(f"*/{ARGUMENTS}")):
        with suppress(OSError):
            if file.is_file() and not (file.parent / STATUS).exists():
                sizes[file.parent] = file.stat().st_size
    return sizes


def _arguments(folder: Path) -> list[str]:
    with (folder / ARGUMENTS).open("rb") as file:
        text = file.read(_MAX_ARGUMENTS_BYTES).decode("utf-8-sig")
    return [line for line in text.splitlines() if line]


def _end(folder: Path, state: str, text: str, report: dict[str, Any] | None = None) -> EndedJob:
    deadline = time.monotonic() + _LAST_STATUS_SECONDS
    while not _write_status(folder, state, _thousandths_at_end(state), text):
        if time.monotonic() > deadline:
            break
        time.sleep(PAUSE_SECONDS)
    return EndedJob(state=state, text=text, report=report or {})


def _thousandths_at_end(state: str) -> int:
    return 1000 if state == "done" else -1


def _noted_state(folder: Path) -> str:
    """The state in `status.txt`; empty: there is none."""
    try:
        text = (folder / STATUS).read_text("utf-8", errors="replace")
    except OSError:
        return ""
    return text.partition("\n")[0]


def _write_status(folder: Path, state: str, thousandths: int, text: str) -> bool:
    """Whether the status was written; it is written atomically."""
    new = folder / f".{STATUS}.new"
    line = " ".join(text.split())
    try:
        new.write_text(f"{state}\n{thousandths}\n{line}\n", encoding="utf-8")
        new.replace(folder / STATUS)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
