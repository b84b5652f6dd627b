"""What is kept of a run that was interrupted, for `vidrestore resume` to go on from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.jobs.journal import Journal, is_journal, journal_path
from vidrestore.runtime.file_kinds import absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWork:
    """Of a film that is restored in segments."""

    segments: int
    """Those that are done."""
    frames: int
    """In these."""
    analysed_frames: int
    """Whose faces are known."""


def kept_work(output: Path) -> KeptWork | None:
    """What is kept of the run to `output`; None: nothing, or nobody can say."""
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
    return KeptWork(segments=len(done), frames=frames, analysed_frames=analysed)
