"""The worst faces of an evaluation, with their pictures: a fixed number for a video of any length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidrestore.evaluation.face_views import FaceView
from vidrestore.evaluation.measures import BY_NAME, Subject

CANDIDATES = ("identity", "face_psnr", "sharpness")
"""Measures by which the worst faces are chosen: the first two of these that have values."""
APART_SECONDS = 1.0
"""Only the worst face of a track within this time is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstFace:
    """One of the worst faces, with its pictures."""

    measure: str
    value: float
    frame: int
    seconds: float
    track: int
    name: str
    """Name of the picture's file; '' for videos."""
    box: tuple[float, float, float, float]
    """x0 y0 x1 y1 in the frame."""
    pictures: dict[Subject, NDArray[np.uint8]] = field(repr=False)
    """(256, 256, 3) RGB: the face in each file."""


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
        """Keep the face if it is among the worst.

        Args:
            value: The face's value of the measure.
            views: The face in each file.
            frame: Number of the frame or picture, from 0.
            seconds: Its time after the first frame.
            track: Number of the face's track.
            name: Name of the picture's file; '' for videos.
            box: (4,) x0 y0 x1 y1 [px] in the frame.
        """
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
                pictures={subject: _to_uint8(view) for subject, view in views.items()},
            )
        )
        self._faces = sorted(rest, key=lambda face: -self._sign * face.value)[: self._count]


def _to_uint8(view: FaceView) -> NDArray[np.uint8]:
    return np.rint(view.crop * 255).astype(np.uint8)
