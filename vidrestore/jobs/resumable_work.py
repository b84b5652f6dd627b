"""The finished work of an interrupted run, which `vidrestore resume` continues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.jobs.journal import Journal, is_journal, journal_path
from vidrestore.runtime.file_kinds import absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumableWork:
    """The finished work of a video that is restored in segments."""

    segments: int
    """Number of finished segments."""
    frames: int
    """Number of frames in the finished segments."""
    analysed_frames: int
    """Number of frames whose faces are recorded."""


def resumable_work(output: Path) -> ResumableWork | None:
    """The finished work of the run to `output`; None: there is none, or it cannot be read."""
    path = journal_path(absolute(output))
    if not is_journal(path):
        return None
    try:
        with Journal(path, output) as journal:
            done = [segment for segment in journal.segments() if segment.file is not None]
            checkpoint = journal.checkpoint()
            ended = journal.analysed_frames()
    except OutputError:  # damaged, or another run's
        return None
    analysed = ended if ended is not None else checkpoint.frame if checkpoint is not None else 0
    if not done and not analysed:
        return None
    frames = sum(segment.span.frames for segment in done)
    return ResumableWork(segments=len(done), frames=frames, analysed_frames=analysed)
