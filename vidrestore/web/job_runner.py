"""Runs queued jobs, one restoration at a time, each in its own process.

Its whole state is in the store and in the jobs' files. If the server is killed, its jobs continue. The next
server finds the jobs that still run, stores the results of the others, and queues interrupted jobs again;
long videos then continue after their last finished segment.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidrestore.errors import UsageError
from vidrestore.runtime.latest_frame import LATEST_FRAME
from vidrestore.web.job_process import DATABASE, frame_path, lines_path
from vidrestore.web.job_store import Job, JobState, JobStore
from vidrestore.web.watched_folder import WatchedFolder, note_cancelled, note_ended, note_queued

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 45.0
"""Time between a request to end and killing the process; a job of a host gives its own command 30 s."""
_PIECE_BYTES = 8_000_000
_LAST_LINE_BYTES = 64_000_000
"""Limit for the length of a report."""


@dataclass(frozen=True, slots=True)
class LinePosition:
    """A place in the lines of a job. Each run of a job writes them from the beginning."""

    run: int = 0
    """How often this server had started the job."""
    byte: int = 0


class JobRunner:
    """The queue's thread. Use it in a `with` block; running jobs continue after the block."""

    def __init__(self, folder: Path, *, watched: Path | None = None) -> None:
        """`folder` contains the jobs; `watched` is a folder from which new ones are taken."""
        self.store = JobStore(folder / DATABASE)
        self.folder = folder
        self.on_done: Callable[[Job], None] = lambda _: None
        """Called in the queue's thread with each job that is done."""
        self._watched = None if watched is None else WatchedFolder(watched)
        self._stop = threading.Event()
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._asked_to_end: dict[int, float] = {}
        self._runs: Counter[int] = Counter()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def __enter__(self) -> JobRunner:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def cancel(self, number: int) -> None:
        """Ends a job. Finished segments are kept."""
        job = self.store.get(number)
        if self.store.update(number, only_if=["queued"], state="cancelled", is_cancelled=1):
            note_cancelled(job)
        else:  # it runs, or is just starting
            self.store.update(number, is_cancelled=1)

    def retry(self, number: int) -> None:
        """Queues an ended job again."""
        job = self.store.get(number)
        ended: list[JobState] = ["failed", "cancelled"]
        if self.store.update(number, only_if=ended, state="queued", is_cancelled=0, message="", pid=None):
            note_queued(job)

    def remove(self, number: int) -> None:
        """Deletes a job that is not running, and its files."""
        job = self.store.get(number)
        if not self.store.remove(number):
            raise UsageError(f"job {number} is running; cancel it first")
        if job.state == "queued":
            note_cancelled(job)
        for suffix in ("jsonl", "jpg", "log", "analysis"):
            (self.folder / f"{number}.{suffix}").unlink(missing_ok=True)

    def frame_changed(self, number: int) -> int | None:
        """When the newest restored frame was written [ns]; None: there is none yet."""
        try:
            return frame_path(self.folder, number).stat().st_mtime_ns
        except OSError:
            return None

    def lines(self, number: int, after: LinePosition) -> tuple[list[str], LinePosition]:
        """Complete lines that a job has written after a position, and the position after them.

        There may be more lines; once there are none, the list is empty. If the job was started again
        since then, the lines are those of its new run, from the first one.
        """
        run = self._runs[number]
        begin = after.byte if after.run == run else 0
        try:
            with lines_path(self.folder, number).open("rb") as file:
                file.seek(begin)
                data = file.read(_PIECE_BYTES)
                if b"\n" not in data:
                    data += file.readline(_LAST_LINE_BYTES)
        except OSError:
            return [], LinePosition(run, begin)
        if self._runs[number] != run:
            return [], after  # the file may have been replaced just before it was opened
        whole = data[: data.rfind(b"\n") + 1]
        return whole.decode("utf-8", "replace").splitlines(), LinePosition(run, begin + len(whole))

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                self.step()
            except Exception:
                logger.exception("an error in the job queue")

    def step(self) -> None:
        """Checks the running jobs, takes jobs from the watched folder, then starts waiting ones."""
        jobs = self.store.all()
        for job in jobs:
            if job.state == "running":
                self._look_after(job)
        if self._watched is not None:
            self._watched.take_jobs(self.store)
        for kinds in (("inspect",), ("restore", "folder")):
            of_kind = [job for job in self.store.all() if job.kind in kinds]
            queued = next((job for job in of_kind if job.state == "queued"), None)
            if queued is not None and not any(job.state == "running" for job in of_kind):
                self._start(queued)

    def _start(self, job: Job) -> None:
        for path in (lines_path(self.folder, job.id), frame_path(self.folder, job.id)):
            path.unlink(missing_ok=True)
        self._runs[job.id] += 1  # after the old lines are gone, before there are new ones
        if not self.store.update(job.id, only_if=["queued"], state="running", pid=None):
            return  # it was cancelled or removed in the meantime
        command = [sys.executable, "-m", "vidrestore.web.job_process", str(self.folder), str(job.id)]
        with (self.folder / f"{job.id}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, LATEST_FRAME: str(frame_path(self.folder, job.id))},
                start_new_session=True,  # Ctrl-C in the server's terminal does not end it
            )
        self._children[job.id] = process
        self.store.update(job.id, pid=process.pid, process_start=_start_of(process.pid))

    def _look_after(self, job: Job) -> None:
        if self._is_alive(job):
            if job.is_cancelled:
                self._end(job)
            return
        self._children.pop(job.id, None)
        self._asked_to_end.pop(job.id, None)
        event, values = self._last_line(job.id)
        if event == "report":
            note_ended(job, "done", "done")
            self.store.update(job.id, state="done", message="", result=values, pid=None)
            self.on_done(job)
        elif job.is_cancelled or values.get("text") == "cancelled":
            note_ended(job, "cancelled", "cancelled")
            self.store.update(job.id, state="cancelled", pid=None)
        elif event == "error" and values["text"] != "interrupted":
            self._fail(job, values["text"])
        else:  # it was killed, or the computer stopped
            self._requeue(job)

    def _requeue(self, job: Job) -> None:
        """Queues the job again, but only once: the second failure in a row may be caused by the job."""
        if job.message == "interrupted":
            self._fail(job, "its process was killed twice")
        else:
            note_queued(job)
            self.store.update(job.id, state="queued", message="interrupted", pid=None)

    def _fail(self, job: Job, message: str) -> None:
        note_ended(job, "failed", message)
        self.store.update(job.id, state="failed", message=message, pid=None)

    def _is_alive(self, job: Job) -> bool:
        child = self._children.get(job.id)
        if child is not None:
            return child.poll() is None
        return (
            job.pid is not None and job.process_start is not None and _start_of(job.pid) == job.process_start
        )

    def _end(self, job: Job) -> None:
        assert job.pid is not None
        asked = self._asked_to_end.get(job.id)
        try:
            if asked is None:
                self._asked_to_end[job.id] = time.monotonic()
                os.kill(job.pid, signal.SIGINT)
            elif time.monotonic() - asked > PATIENCE_SECONDS:
                os.killpg(job.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def _last_line(self, number: int) -> tuple[str, dict[str, Any]]:
        """The event of a job's last line, and its values."""
        try:
            with lines_path(self.folder, number).open("rb") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - _LAST_LINE_BYTES, 0))
                value = json.loads(file.read().rstrip(b"\n").rpartition(b"\n")[2])
        except (OSError, ValueError):
            value = {}
        if not isinstance(value, dict) or not isinstance(value.get("text", ""), str):
            return "", {}
        return str(value.pop("event", "")), value


def _start_of(pid: int) -> str | None:
    """The start time of a process, in the system's unit; None: no such process runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
