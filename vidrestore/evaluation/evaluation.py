"""The result of an evaluation, from which all reports are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vidrestore.evaluation.face_sets import SetDistance
from vidrestore.evaluation.left_out import LeftOut
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.pairing import Check
from vidrestore.evaluation.samples import Samples
from vidrestore.evaluation.worst import WorstFace


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Measured values of a result."""

    paths: dict[Subject, Path]
    is_video: bool
    size: tuple[int, int]
    """Width and height of the first picture."""
    names: tuple[str, ...]
    """Names of the picture files, in the order of their rows; empty for videos."""
    pictures: Samples = field(repr=False)
    """A row for each frame or picture."""
    faces: Samples = field(repr=False)
    """A row for each face in them."""
    worst: tuple[WorstFace, ...]
    sets: tuple[SetDistance, ...]
    """FID of each file except the truth; empty if it was not measured."""
    checks: tuple[Check, ...]
    left_out: tuple[LeftOut, ...]
    seconds: float
    """Duration of the evaluation [s]."""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The files that were measured, the result first."""
        return tuple(self.paths)

    @property
    def reference(self) -> Subject | None:
        """The file with which people, points and openings were compared; None: there was none."""
        return next((subject for subject in ("truth", "input") if subject in self.paths), None)

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return all(check.passed for check in self.checks)
