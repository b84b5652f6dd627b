"""Finds the results of earlier inspections, if their video has not changed, and deletes replaced ones."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from vidrestore.errors import UsageError
from vidrestore.web.job_process import analysis_path, file_state
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.job_store import Job

MOST_KEPT = 100
_GOING = ("queued", "running")


class Inspections:
    """The finished inspections; results are those with default settings."""

    def __init__(self, runner: JobRunner) -> None:
        """From now on, each inspection that is done replaces earlier ones in `runner`."""
        self._runner = runner
        runner.on_done = self._replace_earlier

    def result(self, video: Path) -> dict[str, Any] | None:
        """The result of the last inspection, with its number as `job`; None: none of the present file."""
        job = self._last(video)
        return None if job is None else {**job.result, "job": job.id}

    def analysis(self, video: Path) -> Path | None:
        """The analysis of the last inspection, a file that may be missing; None: there is no inspection."""
        job = self._last(video)
        return None if job is None else analysis_path(self._runner.folder, job.id)

    def _last(self, video: Path) -> Job | None:
        numbers = [
            job.id
            for job in self._runner.store.all()
            if (job.kind, job.state, job.input, job.settings) == ("inspect", "done", str(video), {})
        ]
        job = self._runner.store.get(max(numbers)) if numbers else None
        return job if job is not None and job.result.get("of") == file_state(video) else None

    def _replace_earlier(self, done: Job) -> None:
        """Deletes inspections of the same video and settings, and the oldest ones if there are too many."""
        if done.kind != "inspect":
            return
        others = [
            job
            for job in self._runner.store.all()
            if job.kind == "inspect" and job.state not in _GOING and job.id != done.id
        ]
        replaced = [job for job in others if (job.input, job.settings) == (done.input, done.settings)]
        kept = sorted((job for job in others if job not in replaced), key=lambda job: job.id)
        for job in (*replaced, *kept[: max(len(kept) + 1 - MOST_KEPT, 0)]):
            with suppress(UsageError):  # it was removed or retried in the meantime
                self._runner.remove(job.id)
