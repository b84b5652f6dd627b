"""The worst faces, kept as pictures: a few, however long the video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidrestore.evaluation.face_views import FaceView
from vidrestore.evaluation.measures import BY_NAME, Subject

CANDIDATES = ("identity", "face_psnr", "sharpness")
"""By which a face may be called bad: the first of these that is measured, and the second."""
APART_SECONDS = 1.0
"""Of one track's faces within so long only the worst is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstFace:
    """A face that came out badly."""

    measure: str
    value: float
    frame: int
    seconds: float
    track: int
    name: str
    """Of the picture's file; '' for videos."""
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 in the frame."""
    pictures: dict[Subject, NDArray[np.uint8]] = field(repr=False)
    """(256, 256, 3) RGB of each file."""


class WorstFaces:
    """Collects the `count` worst faces of a measure."""

    def __init__(self, measure: str, count: int) -> None:
        self.measure = measure
        self._count = count
        self._sign = -1.0 if BY_NAME[measure].better == "higher" else 1.0
        self._faces: list[WorstFace] = []

    @property
    def faces(self) -> tuple[WorstFace, ...]:
        """Worst first."""
        return tuple(self._faces)

    def offer(
        self,
        value: float,
        views: Mapping[Subject, FaceView],
        *,
        frame: int,
        seconds: float,
        track: int,
        name: str,
        box: NDArray[np.floating],
    ) -> None:
        """Keep the face if it is among the worst."""
        if self._count == 0:
            return
        badness = self._sign * value
        near = [
            face
            for face in self._faces
            if face.name == name and face.track == track and abs(face.seconds - seconds) < APART_SECONDS
        ]
        if near and self._sign * near[0].value >= badness:
            return
        rest = [face for face in self._faces if face not in near]
        if len(rest) >= self._count and self._sign * rest[-1].value >= badness:
            return
        x0, y0, x1, y1 = (float(v) for v in box)
        rest.append(
            WorstFace(
                measure=self.measure,
                value=value,
                frame=frame,
                seconds=seconds,
                track=track,
                name=name,
                box=(x0, y0, x1, y1),
                pictures={subject: _codes(view) for subject, view in views.items()},
            )
        )
        self._faces = sorted(rest, key=lambda face: -self._sign * face.value)[: self._count]


def _codes(view: FaceView) -> NDArray[np.uint8]:
    return np.rint(view.crop * 255).astype(np.uint8)
