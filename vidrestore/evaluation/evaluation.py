"""What an evaluation found; everything that reports write."""

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
    """Measured values of a result, beside its truth and its input as far as they were given."""

    paths: dict[Subject, Path]
    is_video: bool
    size: tuple[int, int]
    """Width and height of the first picture."""
    names: tuple[str, ...]
    """Of the pictures' files, by the numbers of their rows; empty for videos."""
    pictures: Samples = field(repr=False)
    """A row for each frame or picture."""
    faces: Samples = field(repr=False)
    """A row for each face in them."""
    worst: tuple[WorstFace, ...]
    sets: tuple[SetDistance, ...]
    """FID of each file but the truth; empty where it was not measured."""
    checks: tuple[Check, ...]
    left_out: tuple[LeftOut, ...]
    seconds: float
    """That it took."""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The files that were measured, the result first."""
        return tuple(self.paths)

    @property
    def reference(self) -> Subject | None:
        """What people, points and openings were compared with."""
        return next((subject for subject in ("truth", "input") if subject in self.paths), None)

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return all(check.passed for check in self.checks)
