"""FID of an evaluation: all faces of a file, taken as one set, against all faces of the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidrestore.evaluation.face_views import FaceView
from vidrestore.evaluation.frechet import FeatureStatistics, frechet_distance
from vidrestore.evaluation.left_out import LeftOut
from vidrestore.evaluation.measures import Subject

if TYPE_CHECKING:
    from vidrestore.evaluation.inception import InceptionFeatures


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDistance:
    """The distance of a file's faces from the truth's, as sets."""

    subject: Subject
    fid: float
    faces: int
    """Number of faces in each set. With fewer than some thousands the value depends on it."""


class FaceSets:
    """Takes in faces and compares the sets; memory does not grow."""

    def __init__(self, network: InceptionFeatures | LeftOut) -> None:
        self._network = network
        self._statistics: dict[Subject, FeatureStatistics] = {}

    def add(self, views: Mapping[Subject, FaceView]) -> None:
        """One face of each file; without the truth's there is nothing to compare with."""
        if isinstance(self._network, LeftOut) or "truth" not in views:
            return
        rows = self._network.describe([view.crop for view in views.values()])
        for subject, row in zip(views, rows, strict=True):
            self._statistics.setdefault(subject, FeatureStatistics()).add(row[None])

    def distances(self) -> tuple[SetDistance, ...]:
        """Of every file but the truth; none where there are fewer than two faces."""
        truth = self._statistics.get("truth")
        if truth is None or truth.count < 2:
            return ()
        reference = truth.gaussian()
        return tuple(
            SetDistance(
                subject=subject,
                fid=frechet_distance(statistics.gaussian(), reference),
                faces=statistics.count,
            )
            for subject, statistics in self._statistics.items()
            if subject != "truth"
        )

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Why it was not measured."""
        if isinstance(self._network, LeftOut):
            return (self._network,)
        if self.distances():
            return ()
        return (LeftOut(name="FID", reason="compares sets of faces, and there are fewer than two"),)
