"""A queue of jobs, run one after the other: each restores a strip by the command, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..child_command import ChildCommand
from .media_range import MediaRange

READABLE = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".mpg", ".ts", ".m2ts")
"""Suffixes that both Blender and vidrestore support; the result of any other file is an .mkv."""


class Job(NamedTuple):
    """A strip to restore."""

    strip: str
    """The mark of the strip's placeholder."""
    source: Path
    part: MediaRange
    settings: tuple[str, ...]
    """Arguments of the command."""
    folder: Path
    """Where the result goes."""


class RestorationQueue:
    """The waiting jobs and the running one. Only Blender's main thread may use it."""

    def __init__(
        self,
        *,
        on_done: Callable[[Job, Path], None],
        on_end: Callable[[Job, str], None],
        start: Callable[[Sequence[str]], ChildCommand] = ChildCommand,
    ) -> None:
        """An empty queue.

        Args:
            on_done: Called with a job and its result.
            on_end: Called with a job that failed or was cancelled, and a sentence.
            start: Starts the command with these arguments.
        """
        self._on_done, self._on_end, self._start = on_done, on_end, start
        self._waiting: list[Job] = []
        self._running: tuple[Job, Path, ChildCommand] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._running is not None or bool(self._waiting)

    @property
    def share(self) -> float:
        """Completed fraction of the running job, 0 to 1."""
        return 0.0 if self._running is None else self._running[2].share or 0.0

    @property
    def text(self) -> str:
        """One line about the running job."""
        if self._running is None:
            return ""
        more = f"; {len(self._waiting)} waiting" if self._waiting else ""
        return f"{self._running[1].name}: {self._running[2].text}{more}"

    def add(self, job: Job) -> None:
        """Append a job to the queue."""
        self._waiting.append(job)

    def step(self) -> None:
        """Start the next job if none runs; report the running one if its command has ended."""
        if self._running is None and self._waiting:
            self._begin(self._waiting.pop(0))
        elif self._running is not None and self._running[2].state != "running":
            (job, output, command), self._running = self._running, None
            if command.state == "done":
                self._on_done(job, output)
            else:
                self._on_end(job, command.text)

    def cancel(self) -> None:
        """Remove the waiting jobs, cancel the running one, and report all of them as cancelled."""
        ended, self._waiting = [*self._waiting], []
        if self._running is not None:
            self._running[2].cancel()
            ended.insert(0, self._running[0])
            self._running = None
        for job in ended:
            self._on_end(job, "cancelled")

    def _begin(self, job: Job) -> None:
        try:
            job.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._on_end(job, f"cannot make the folder {job.folder}: {error.strerror or error}")
            return
        output = free_name(job.folder, job.source, job.part)
        words = ["restore", str(job.source), str(output), *job.part.words(), *job.settings]
        self._running = (job, output, self._start(words))


def free_name(folder: Path, source: Path, part: MediaRange) -> Path:
    """A new file name. No file is ever replaced, because another project may use it."""
    suffix = source.suffix if source.suffix.lower() in READABLE else ".mkv"
    stem = source.stem if part.is_whole else f"{source.stem}_{part.first}-{part.last}"
    path, number = folder / f"{stem}_restored{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}_restored_{number}{suffix}"
    return path
