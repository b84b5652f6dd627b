"""Collects the result of an inspection while frames pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.faces.boxes import mean_side
from vidrestore.identity import find_people
from vidrestore.inspection.result import FaceTrack, Inspection, Scene
from vidrestore.types import FloatArray, Frame, TrackedFace, VideoInfo

if TYPE_CHECKING:
    from vidrestore.identity import TrackDescriber
    from vidrestore.video import FieldProcessing

THUMBNAIL = 128
"""Side of a track's thumbnail [px]."""
_LEAST_OPACITY = 0.9
"""Frames with at least this opacity are preferred for the thumbnail."""


@dataclass(slots=True)
class _TrackStats:
    """Sums of one track."""

    first: tuple[int, float]
    """Number and time of the first frame."""
    last: tuple[int, float]
    frames: int = 0
    sides: list[float] = field(default_factory=lambda: [np.inf, 0.0, 0.0])
    """Minimum, sum and maximum."""
    centre: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    """Sum of the centres, as shares of the displayed picture."""
    sharpness: float = 0.0
    score: float = 0.0
    detection_count: int = 0
    best: tuple[bool, float] = (False, 0.0)
    thumbnail: NDArray[np.uint8] | None = None


@dataclass(slots=True)
class InspectionBuilder:
    """Collects scenes and tracks from the frames of a video."""

    describer: TrackDescriber
    frames: int = 0
    frames_with_faces: int = 0
    faces: int = 0
    first: float = 0.0
    last: float = 0.0
    scenes: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Number and time of the first frame, by scene."""
    scene_frames: Counter[int] = field(default_factory=Counter)
    tracks: dict[int, _TrackStats] = field(default_factory=dict)
    seen_together: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of tracks that occur in the same frame, the lower number first."""

    def add(self, frame: Frame, scene: int, faces: tuple[TrackedFace, ...]) -> None:
        """Adds the next frame.

        Args:
            frame: The frame.
            scene: Number of its scene, from 0.
            faces: Its tracked faces.
        """
        if not self.frames:
            self.first = frame.seconds
        self.last = frame.seconds
        self.frames += 1
        self.frames_with_faces += bool(faces)
        self.faces += len(faces)
        self.scenes.setdefault(scene, (frame.index, frame.seconds))
        self.scene_frames[scene] += 1
        self.seen_together.update(combinations(sorted(face.track_id for face in faces), 2))
        for face in faces:
            self._add_face(frame, face)

    def _add_face(self, frame: Frame, face: TrackedFace) -> None:
        from vidrestore.faces.alignment import face_to_crop, sharpness, warp_face

        frame_time = (frame.index, frame.seconds)
        sums = self.tracks.setdefault(face.track_id, _TrackStats(first=frame_time, last=frame_time))
        picture = warp_face(frame, face_to_crop(frame, face.landmarks, 256), 256)
        side = mean_side(face.box)
        sums.last = frame_time
        sums.frames += 1
        sums.sides = [min(sums.sides[0], side), sums.sides[1] + side, max(sums.sides[2], side)]
        sums.centre += _centre(frame, face)
        sums.sharpness += sharpness(picture)
        if face.observed:
            sums.score += face.score
            sums.detection_count += 1
        self.describer.add(face, picture)
        value = (face.opacity >= _LEAST_OPACITY, side)
        if value > sums.best or sums.thumbnail is None:
            sums.best = value
            small = cv2.resize(picture, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
            sums.thumbnail = np.round(np.clip(small, 0, 1) * 255).astype(np.uint8)

    def result(
        self, info: VideoInfo, field_processing: FieldProcessing, frame_rate: Fraction | None
    ) -> Inspection:
        """The inspection; called after the last frame was added.

        Args:
            info: The input.
            field_processing: How fields of interlaced video were processed.
            frame_rate: Frames per second; None: unknown.
        """
        descriptors = self.describer.descriptors()
        frames = {number: sums.frames for number, sums in self.tracks.items()}
        people = find_people(frames, descriptors, self.seen_together)
        person_of = {track: person.id for person in people for track in person.tracks}
        return Inspection(
            path=info.path,
            width=info.width,
            height=info.height,
            frame_rate=frame_rate,
            duration=self.last - self.first,
            codec=info.codec,
            pixel_format=info.pixel_format.name,
            rotation=info.rotation,
            mirrored=info.orientation.mirrored,
            field_order=field_processing.order,
            telecined=field_processing.measure.telecined,
            other_streams=info.other_streams,
            frames=self.frames,
            frames_with_faces=self.frames_with_faces,
            scenes=tuple(
                Scene(first_frame=first, start=start, frames=self.scene_frames[number])
                for number, (first, start) in self.scenes.items()
            ),
            tracks=tuple(
                _track(number, sums, person_of[number], descriptors.get(number))
                for number, sums in sorted(self.tracks.items())
            ),
            people=people,
            seen_together=frozenset(map(frozenset, self.seen_together)),
        )


def _centre(frame: Frame, face: TrackedFace) -> NDArray[np.float64]:
    """(2,) the centre of the box, as shares of the displayed picture."""
    from vidrestore.faces.orientation import upright_matrix

    size = np.array([frame.width, frame.height])
    matrix = upright_matrix(frame)
    shown = matrix[:, :2] @ (face.box.reshape(2, 2).mean(0) - 0.5) + matrix[:, 2] + 0.5
    return np.asarray(np.clip(shown / np.abs(matrix[:, :2] @ size), 0, 1), np.float64)


def _track(number: int, sums: _TrackStats, person: int, descriptor: FloatArray | None) -> FaceTrack:
    least, total, greatest = sums.sides
    assert sums.thumbnail is not None
    return FaceTrack(
        id=number,
        person=person,
        descriptor=descriptor,
        first_frame=sums.first[0],
        last_frame=sums.last[0],
        start=sums.first[1],
        end=sums.last[1],
        frames=sums.frames,
        side=(least, total / sums.frames, greatest),
        centre=(float(sums.centre[0] / sums.frames), float(sums.centre[1] / sums.frames)),
        sharpness=sums.sharpness / sums.frames,
        score=sums.score / max(sums.detection_count, 1),
        thumbnail=sums.thumbnail,
    )
