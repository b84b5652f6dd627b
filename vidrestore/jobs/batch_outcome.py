"""The outcome of a file of a batch, and the progress that is displayed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vidrestore.errors import VidrestoreError
from vidrestore.jobs.batch_inputs import BatchItem
from vidrestore.runtime.system_errors import to_system_error
from vidrestore.types import DrawnShare, Progress, Report

State = Literal["restored", "damaged", "up to date", "skipped", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a file."""

    name: str
    target: Path
    state: State
    message: str = ""
    """Why it failed or was skipped; which tracks a photo selected; warnings."""
    frames: int = 0
    faces: int = 0
    tracks: int = 0
    lost_frames: int = 0
    concealed_frames: int = 0
    seconds: float = 0.0
    attempts: int = 0
    drawn: tuple[DrawnShare, ...] = ()
    """How much of each track was drawn."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The settings it was restored with that differ from their defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """The state of a batch, for display."""

    number: int
    """The number of the file, from 1."""
    total: int
    name: str
    failed: int
    """Number of files that failed so far."""
    file: Progress | None
    """The progress of the file; None once it has an outcome."""
    outcome: Outcome | None = None


def restored(item: BatchItem, report: Report, attempts: int) -> Outcome:
    """The outcome of a file whose output is complete.

    Args:
        item: The file.
        report: The report of its run.
        attempts: Number of attempts.
    """
    return Outcome(
        name=item.name,
        target=item.target,
        state="damaged" if report.is_damaged else "restored",
        message="; ".join((*report.people, *report.warnings)),
        frames=report.frames,
        faces=report.faces,
        tracks=report.tracks,
        lost_frames=report.lost_frames,
        concealed_frames=report.concealed_frames,
        seconds=report.seconds,
        attempts=attempts,
        drawn=report.drawn,
    )


def failed(item: BatchItem, error: Exception | str, attempts: int) -> Outcome:
    """The outcome of a file without an output, because of `error`.

    Args:
        item: The file.
        error: The error, or a sentence that describes it.
        attempts: Number of attempts.
    """
    message = error if isinstance(error, str) else sentence(error)
    return Outcome(name=item.name, target=item.target, state="failed", message=message, attempts=attempts)


def sentence(error: Exception) -> str:
    """The sentence for an error that the user reads."""
    known = error if isinstance(error, VidrestoreError) else to_system_error(error)
    if known is None:
        return f"this is a defect of vidrestore: {type(error).__name__}: {error}"
    return str(known)
