"""The jobs in an SQLite file, which survive the end of the server and of the computer."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from vidrestore.errors import OutputError, UsageError

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
JobKind = Literal["restore", "inspect", "folder"]
_STATES: tuple[JobState, ...] = get_args(JobState)
MAX_WAITING = 500
"""Largest number of queued and running jobs together."""
_TABLE = """
create table if not exists jobs (
    id integer primary key autoincrement, kind text not null, state text not null, position real not null,
    input text not null, output text not null, settings text not null, pid integer, process_start text,
    message text not null default '', result text not null default 'null', created real not null,
    changed real not null, is_cancelled integer not null default 0
)
"""

_LIST = """
select id, kind, state, position, input, output, settings, pid, process_start, message, 'null' as result,
    created, changed, is_cancelled
from jobs order by position, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it is stored."""

    id: int
    kind: JobKind
    state: JobState
    position: float
    """Position in the queue: lower numbers run first."""
    input: str
    output: str
    settings: dict[str, Any]
    pid: int | None
    process_start: str | None
    """Start time of its process, in the system's unit; with `pid` it identifies the process."""
    message: str
    """Why it failed."""
    result: Any
    """The report of a finished job."""
    created: float
    changed: float
    is_cancelled: bool
    """Whether the user has cancelled it."""

    def to_dict(self) -> dict[str, Any]:
        """For the page."""
        names = ("id", "kind", "state", "position", "input", "output", "settings", "message", "created")
        return {name: getattr(self, name) for name in names} | {"result": self.result}


class JobStore:
    """The table of jobs; safe for several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        with self._connection() as connection:
            connection.execute("pragma journal_mode=wal")
            connection.execute(_TABLE)

    def add(self, kind: JobKind, input: Path, output: Path | None, settings: dict[str, Any]) -> Job:
        """Adds a job at the end of the queue.

        Args:
            kind: What the job does.
            input: The video.
            output: The file to write; None: the job writes none.
            settings: The checked settings, as JSON can hold them.

        Returns:
            The job.

        Raises:
            UsageError: Too many jobs are waiting.
        """
        now = time.time()
        with self._connection() as connection:
            (waiting,) = connection.execute(
                "select count(*) from jobs where state in ('queued', 'running')"
            ).fetchone()
            if waiting >= MAX_WAITING:
                raise UsageError(f"{MAX_WAITING} jobs are waiting already; cancel some first")
            (last,) = connection.execute("select coalesce(max(position), 0) from jobs").fetchone()
            row = connection.execute(
                "insert into jobs (kind, state, position, input, output, settings, created, changed)"
                " values (?, 'queued', ?, ?, ?, ?, ?, ?)",
                (kind, last + 1, str(input), str(output or ""), json.dumps(settings), now, now),
            )
            number = row.lastrowid
        assert number is not None
        return self.get(number)

    def get(self, number: int) -> Job:
        """The job with this number. Raises UsageError if there is none."""
        with self._connection() as connection:
            row = connection.execute("select * from jobs where id = ?", (number,)).fetchone()
        if row is None:
            raise UsageError(f"there is no job {number}")
        return _job(row)

    def all(self) -> list[Job]:
        """All jobs in the order of the queue, without their results, which may be large."""
        with self._connection() as connection:
            return [_job(row) for row in connection.execute(_LIST)]

    def update(self, number: int, *, only_if: Collection[JobState] | None = None, **values: Any) -> bool:
        """Sets columns of a job, in one step that no other thread or process can come between.

        Args:
            number: The job.
            only_if: States in which the job may be; None: any.
            values: The columns; `settings` and `result` are values for JSON.

        Returns:
            Whether there is the job, in one of these states.
        """
        for name in ("settings", "result"):
            if name in values:
                values[name] = json.dumps(values[name])
        columns = ", ".join(f"{name} = ?" for name in values)
        states = _STATES if only_if is None else tuple(only_if)
        with self._connection() as connection:
            changed = connection.execute(
                f"update jobs set {columns}, changed = ? where id = ? and state in ({_marks(states)})",
                (*values.values(), time.time(), number, *states),
            )
            return changed.rowcount > 0

    def move(self, number: int, before: int | None) -> None:
        """Moves a queued job before another one, or to the end."""
        jobs = [job for job in self.all() if job.id != number]
        moved = self.get(number)
        at = next((i for i, job in enumerate(jobs) if job.id == before), len(jobs))
        jobs.insert(at, moved)
        with self._connection() as connection:
            for position, job in enumerate(jobs):
                connection.execute("update jobs set position = ? where id = ?", (position, job.id))

    def remove(self, number: int) -> bool:
        """Deletes a job that is not running; returns whether it was there."""
        with self._connection() as connection:
            removed = connection.execute("delete from jobs where id = ? and state != 'running'", (number,))
            return removed.rowcount > 0

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = sqlite3.connect(self._path, timeout=30)
            connection.row_factory = sqlite3.Row
            try:
                with connection:
                    yield connection
            except sqlite3.Error as error:
                raise OutputError(f"cannot use the jobs in {self._path}: {error}") from error
            except OverflowError as error:
                raise UsageError("there is no job with this number") from error
            finally:
                connection.close()


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    values["settings"], values["result"] = json.loads(values["settings"]), json.loads(values["result"])
    values["is_cancelled"] = bool(values["is_cancelled"])
    return Job(**values)
