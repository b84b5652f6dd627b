"""Finds the results of earlier inspections, if their video has not changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidrestore.web.job_process import analysis_path, file_state
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.job_store import Job

MOST_KEPT = 100
_GOING = ("queued", "running")


class Inspections:
    """The finished inspections with default settings."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def result(self, video: Path) -> dict[str, Any] | None:
        """The result of the last inspection, with its number as `job`; None: none of the present file."""
        job = self._last(video)
        return None if job is None else {**job.result, "job": job.id}

    def analysis(self, video: Path) -> Path | None:
        """The analysis of the last inspection, a file that may be missing; None: there is no inspection."""
        job = self._last(video)
        return None if job is None else analysis_path(self._runner.folder, job.id)

    def make_room(self, video: Path) -> None:
        """Deletes earlier inspections of a video, and the oldest ones if there are too many."""
        ended = [j for j in self._runner.store.all() if j.kind == "inspect" and j.state not in _GOING]
        of_video = [job for job in ended if job.input == str(video)]
        too_many = sorted(ended, key=lambda job: job.id)[: max(len(ended) + 1 - MOST_KEPT, 0)]
        for number in {job.id for job in (*of_video, *too_many)}:
            self._runner.remove(number)

    def _last(self, video: Path) -> Job | None:
        numbers = [
            job.id
            for job in self._runner.store.all()
            if (job.kind, job.state, job.input, job.settings) == ("inspect", "done", str(video), {})
        ]
        job = self._runner.store.get(max(numbers)) if numbers else None
        return job if job is not None and job.result.get("of") == file_state(video) else None
