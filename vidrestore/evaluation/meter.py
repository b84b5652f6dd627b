"""Measures frame after frame: rows for pictures and faces, the worst faces, and checks of the pairing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidrestore.evaluation import face_measures
from vidrestore.evaluation.face_sets import FaceSets
from vidrestore.evaluation.face_views import FaceNetworks, FaceView, view_faces
from vidrestore.evaluation.left_out import LeftOut, PerceptualDistance
from vidrestore.evaluation.measures import Subject, columns
from vidrestore.evaluation.moments import Moment
from vidrestore.evaluation.niqe import NiqeModel
from vidrestore.evaluation.outside import change_outside
from vidrestore.evaluation.samples import NO_TRACK, Samples
from vidrestore.evaluation.temporal import TruthMotion
from vidrestore.evaluation.whole_pictures import whole_picture
from vidrestore.evaluation.worst import CANDIDATES, WorstFaces

if TYPE_CHECKING:
    from vidrestore.evaluation.inception import InceptionFeatures

Views = dict[Subject, FaceView]
OnFace = Callable[[Moment, int, Views], None]
"""Gets a frame, the number of a face's track, and its views."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What measures."""

    networks: FaceNetworks
    natural: NiqeModel
    lpips: PerceptualDistance | None
    inception: InceptionFeatures | LeftOut
    """FID's network."""


class Meter:
    """Measures frames in order. Memory grows by four bytes per value."""

    def __init__(
        self,
        subjects: tuple[Subject, ...],
        instruments: Instruments,
        *,
        is_video: bool,
        worst: int,
        on_face: OnFace | None = None,
    ) -> None:
        self.pictures = Samples(columns("picture", subjects))
        self.faces = Samples(columns("face", subjects))
        self.names: list[str] = []
        measured = [name for name in CANDIDATES if name == "sharpness" or len(subjects) > 1]
        if "truth" not in subjects and "face_psnr" in measured:
            measured.remove("face_psnr")
        self.worst = tuple(WorstFaces(name, worst) for name in measured[:2])
        self.sets = FaceSets(instruments.inception)
        self._subjects = subjects
        self._instruments = instruments
        self._is_video = is_video
        self._on_face = on_face
        self._before: dict[int, list[Views]] = {}
        """The views of up to two previous frames for each track, the latest last."""
        self._last_index = -2

    def add(self, moment: Moment) -> None:
        """Measures a frame."""
        if moment.name:
            self.names.append(moment.name)
        self._add_picture(moment)
        if moment.index != self._last_index + 1:
            self._before = {}
        self._last_index = moment.index
        now: dict[int, list[Views]] = {}
        for face, views in zip(moment.faces, view_faces(moment, self._instruments.networks), strict=True):
            before = self._before.get(face.track_id, []) if self._is_video else []
            values = self._measure(views, before, thorough=moment.whole)
            self.faces.add(moment.index, moment.seconds, face.track_id, values)
            if moment.whole:
                self.sets.add(views)
            for worst in self.worst:
                value = values.get(f"result.{worst.measure}")
                if value is not None:
                    worst.offer(
                        value,
                        views,
                        frame=moment.index,
                        seconds=moment.seconds,
                        track=face.track_id,
                        name=moment.name,
                        box=face.box,
                    )
            if self._on_face is not None:
                self._on_face(moment, face.track_id, views)
            now[face.track_id] = [*before[-1:], views]
        self._before = now

    def _add_picture(self, moment: Moment) -> None:
        values: dict[str, float] = {}
        truth = moment.frames.get("truth")
        for subject in self._subjects:
            if truth is not None and subject != "truth" and moment.whole:
                found = whole_picture(moment.frames[subject], truth, multi_scale=not self._is_video)
                values |= {f"{subject}.{name}": value for name, value in found.items()}
        if "input" in moment.frames:
            found = change_outside(moment.frames["result"], moment.frames["input"], moment.spared)
            values |= {f"result.{name}": value for name, value in found.items()}
        self.pictures.add(moment.index, moment.seconds, NO_TRACK, values)

    def _measure(self, views: Views, before: list[Views], *, thorough: bool) -> dict[str, float]:
        motions: dict[Subject, TruthMotion] = {}
        if before:
            moving: tuple[Subject, ...] = ("truth",) if "truth" in views else self._subjects
            motions = {s: face_measures.motion_between(before[-1][s], views[s]) for s in moving}
        values: dict[str, float] = {}
        for subject in views:
            found = self._still(subject, views, thorough=thorough)
            if before:
                found |= _changing(subject, views, before, motions.get("truth") or motions[subject])
            wanted = {f"{subject}.{name}": value for name, value in found.items()}
            values |= {name: value for name, value in wanted.items() if name in self.faces.columns}
        return values

    def _still(self, subject: Subject, views: Views, *, thorough: bool) -> face_measures.Values:
        view, truth, given = views[subject], views.get("truth"), views.get("input")
        found = face_measures.alone(view)
        if thorough:
            found |= face_measures.naturalness(view, self._instruments.natural)
        if truth is not None and subject != "truth":
            found |= face_measures.beside_truth(view, truth)
            found |= face_measures.beside_reference(view, truth)
            if thorough:
                found |= face_measures.perception(view, truth, self._instruments.lpips)
        elif truth is None and given is not None and subject == "result":
            found |= face_measures.beside_reference(view, given)
        return found


def _changing(
    subject: Subject, views: Views, before: list[Views], motion: TruthMotion
) -> face_measures.Values:
    """The change since the previous frame, along the motion of the truth or of the file itself."""
    now, last = views[subject], before[-1][subject]
    found = face_measures.change(last, now, motion)
    if "truth" in views and subject != "truth":
        found |= face_measures.change_beside_truth(last, now, before[-1]["truth"], views["truth"])
    if len(before) > 1:
        found |= face_measures.bend(before[0][subject], last, now)
    return found
