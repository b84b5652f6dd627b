"""A job in a folder: for hosts whose scripts can write files, but not follow a process.

    python -m vidrestore.integrations.job_folder FOLDER           runs the job; returns at once
    python -m vidrestore.integrations.job_folder --watch FOLDER   runs each job in FOLDER, one after the other

The host writes `words.txt` into the folder: the arguments of `vidrestore`, one a line, in UTF-8. It reads
`status.txt`: the state (queued, running, done, failed or cancelled), thousandths that are done (-1: not
known), and a line for people, each on a line. A file `cancel` ends the job. docs/job-folders.md describes it
for those who write such scripts; `vidrestore web --watch FOLDER` runs the same jobs in its queue.
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

WORDS, STATUS, CANCEL = "words.txt", "status.txt", "cancel"
WATCHED = "vidrestore-jobs"
"""In the user's home: where plugins that can start no program leave their jobs."""
COMMANDS = ("restore", "resume", "inspect", "edit")
"""Those that a job may be."""
PAUSE_SECONDS = 0.25
_GROWING_SECONDS = 0.1
"""Time without growth after which a file is complete."""
_MAX_WORDS_BYTES = 256_000
_LAST_STATUS_SECONDS = 10.0
"""How long the last status is tried to be written: on Windows not while the host reads it."""


@dataclass(frozen=True)
class EndedJob:
    """How a job has ended."""

    state: str
    """done, failed or cancelled."""
    text: str
    """One line for people."""
    report: dict[str, Any]
    """The report of a job that is done; else empty."""


def run_job(
    folder: Path,
    command: Sequence[str] | None = None,
    *,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> EndedJob:
    """Runs a job and returns its end. `status.txt` has the progress until then.

    Args:
        folder: Of the job.
        command: How vidrestore is started; None: by this Python.
        on_progress: Called with the values of each new line of progress.
    """
    try:
        words = _words(folder)
    except (OSError, UnicodeDecodeError) as error:
        return _end(folder, "failed", f"the job cannot be read: {error}")
    if not words or words[0] not in COMMANDS:
        return _end(folder, "failed", f"a job is one of {', '.join(COMMANDS)}")
    if (folder / CANCEL).exists():
        return _end(folder, "cancelled", "cancelled")
    running, shown = ChildCommand(words, command=command or [sys.executable, "-m", "vidrestore"]), None
    try:
        while not running.wait(PAUSE_SECONDS):
            if (folder / CANCEL).exists():
                running.cancel()
            share = -1 if running.share is None else int(running.share * 1000)
            _write_status(folder, "running", share, running.text)
            if on_progress is not None and running.progress is not shown:
                shown = running.progress
                on_progress(shown)
    except KeyboardInterrupt:  # nobody would follow the command any more
        running.cancel()
        running.wait(PATIENCE_SECONDS + PAUSE_SECONDS)
        _end(folder, "cancelled", "the program that runs the jobs was ended")
        raise
    return _end(folder, running.state, running.text, running.report)


def watch(folder: Path, *, rounds: int | None = None) -> None:
    """Runs the job of each folder in `folder` that has one and no status.

    Args:
        folder: Where hosts make folders for their jobs.
        rounds: How often it is looked through; None: until the process is ended.
    """
    while rounds is None or rounds > 0:
        for job in waiting_jobs(folder):
            run_job(job)
        rounds = None if rounds is None else rounds - 1
        time.sleep(PAUSE_SECONDS)


def waiting_jobs(folder: Path) -> list[Path]:
    """The folders of new jobs in `folder` whose `words.txt` does not grow any more."""
    sizes = _words_sizes(folder)
    if not sizes:
        return []
    time.sleep(_GROWING_SECONDS)
    again = _words_sizes(folder)
    return [job for job, size in sizes.items() if again.get(job) == size]


def note_state(folder: Path, state: str, text: str) -> None:
    """Writes the status of a job that is not running.

    Args:
        folder: Of the job.
        state: queued or cancelled.
        text: One line for people.
    """
    _write_status(folder, state, -1, text)


def start_detached(folder: Path) -> None:
    """Runs the job in a process that does not end with this one."""
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


def main(words: Sequence[str]) -> int:
    """Runs what the command line says; the exit code."""
    if len(words) == 1:
        start_detached(Path(words[0]))
        return 0
    if len(words) == 2 and words[0] == "--run":
        return 0 if run_job(Path(words[1])).state == "done" else 1
    if len(words) == 2 and words[0] == "--watch" and Path(words[1]).is_dir():
        with suppress(KeyboardInterrupt):
            watch(Path(words[1]))
        return 0
    sys.stderr.write("usage: python -m vidrestore.integrations.job_folder [--watch] FOLDER\n")
    return 2


def _words_sizes(folder: Path) -> dict[Path, int]:
    """The size of `words.txt` of each new job."""
    sizes: dict[Path, int] = {}
    for words in sorted(folder.glob(f"*/{WORDS}")):
        with suppress(OSError):
            if words.is_file() and not (words.parent / STATUS).exists():
                sizes[words.parent] = words.stat().st_size
    return sizes


def _words(folder: Path) -> list[str]:
    with (folder / WORDS).open("rb") as file:
        text = file.read(_MAX_WORDS_BYTES).decode("utf-8-sig")
    return [line for line in text.splitlines() if line]


def _end(folder: Path, state: str, text: str, report: dict[str, Any] | None = None) -> EndedJob:
    deadline = time.monotonic() + _LAST_STATUS_SECONDS
    while not _write_status(folder, state, 1000 if state == "done" else -1, text):
        if time.monotonic() > deadline:
            break
        time.sleep(PAUSE_SECONDS)
    return EndedJob(state=state, text=text, report=report or {})


def _write_status(folder: Path, state: str, thousandths: int, text: str) -> bool:
    """Whether it was written: whole, or not at all."""
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
