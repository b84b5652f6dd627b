"""Adds jobs that programs write into a folder to the queue, for hosts without HTTP and processes."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

from vidrestore.errors import UsageError
from vidrestore.integrations.job_folder import CANCEL, note_end, note_state, waiting_jobs
from vidrestore.web.job_store import Job, JobState, JobStore

logger = logging.getLogger(__name__)
_QUEUED = "waiting in the queue"


class WatchedFolder:
    """A folder that contains a folder for each job; docs/job-folders.md describes it."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError if it is not a folder, or if all users may write into it."""
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder; choose an existing one")
        if folder.stat().st_mode & stat.S_IWOTH:
            raise UsageError(
                f"all users may write into {folder} and could start commands; choose another folder"
            )
        self._folder = folder.resolve()

    def take_jobs(self, store: JobStore) -> None:
        """Adds new jobs to the end of the queue, and cancels those whose program asks for it."""
        known = {job.input: job for job in store.all() if job.state in ("queued", "running")}
        for folder, job in known.items():
            is_asked = (job.kind, job.state) == ("folder", "queued") and (Path(folder) / CANCEL).exists()
            if is_asked and store.update(job.id, only_if=["queued"], state="cancelled", is_cancelled=1):
                note_cancelled(job)
        for path in waiting_jobs(self._folder):
            if str(path) not in known:
                try:
                    store.add("folder", path, None, {})
                except UsageError:
                    logger.warning("the queue is full: %s waits", path)
                    return
            note_state(path, "queued", _QUEUED)


def note_queued(job: Job) -> None:
    """Writes into the folder of a job that it waits again."""
    if job.kind == "folder":
        note_state(Path(job.input), "queued", _QUEUED)


def note_cancelled(job: Job) -> None:
    """Writes into the folder of a job that it was cancelled while it waited."""
    if job.kind == "folder":
        note_state(Path(job.input), "cancelled", "cancelled")


def note_ended(job: Job, state: JobState, text: str) -> None:
    """Writes into the folder of a job how it ended, if its process has not done so before it was killed.

    Args:
        job: A job of any kind; only those from a watched folder have a folder.
        state: done, failed or cancelled.
        text: One line of text for the user.
    """
    if job.kind == "folder":
        note_end(Path(job.input), state, text)
