"""inspect_video: what there is in a video before anything is done to it. Writes nothing."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import InputError, UsageError
from vidrestore.faces.boxes import mean_side
from vidrestore.identity import Person, find_people
from vidrestore.runtime.cancellation import check_cancelled
from vidrestore.settings import Settings
from vidrestore.types import (
    DrawnShare,
    FloatArray,
    Frame,
    Progress,
    ProgressCallback,
    Report,
    TrackedFace,
    VideoInfo,
)

if TYPE_CHECKING:
    from vidrestore.identity import TrackDescriber
    from vidrestore.video import FieldProcessing

THUMBNAIL = 128
"""Side of a track's picture, pixels."""
_LEAST_OPACITY = 0.9
"""A picture is taken of a face as it will be restored in full, where there is such a frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """From one cut to the next."""

    first_frame: int
    frames: int
    start: float
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceTrack:
    """One person followed through time."""

    id: int
    person: int
    """`Person.id`."""
    first_frame: int
    last_frame: int
    start: float
    """Seconds, of its first frame."""
    end: float
    """Seconds, of its last frame."""
    frames: int
    """In which it is restored; fewer than from first to last where it is lost in between."""
    side: tuple[float, float, float]
    """Least, mean and greatest side of its box, pixels."""
    sharpness: float
    """Mean of `vidrestore.faces.alignment.sharpness`: some 2 is soft, 10 is a good photograph."""
    score: float
    """Mean of the detector's, 0..1."""
    drawn: DrawnShare | None = None
    """How much of it a run has drawn; None: no run is known, or it restored other faces."""
    thumbnail: NDArray[np.uint8] = field(repr=False, compare=False)
    """(128, 128, 3) RGB, where the face is largest."""
    descriptor: FloatArray | None = field(repr=False, compare=False)
    """(128,) who it is, by `vidrestore.identity`; None: never seen well enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found in a video."""

    path: Path
    width: int
    height: int
    frame_rate: Fraction | None
    """None: pictures, and nobody said how many a second; then all seconds are as if they were 25."""
    duration: float
    """Seconds, from the first frame to the last."""
    codec: str
    pixel_format: str
    rotation: int
    mirrored: bool
    field_order: str
    """By flags and content: progressive, top or bottom (first)."""
    telecined: bool
    """Whether fields repeat as where film was transferred to a faster video."""
    other_streams: tuple[str, ...]
    frames: int
    frames_with_faces: int
    scenes: tuple[Scene, ...]
    tracks: tuple[FaceTrack, ...]
    people: tuple[Person, ...]
    seen_together: frozenset[frozenset[int]] = field(default=frozenset(), repr=False)
    """Pairs of tracks that are in one frame."""

    @property
    def interlaced(self) -> bool:
        return self.field_order != "progressive"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the pictures; no seconds where nobody said the rate."""
        return {
            "path": str(self.path),
            "width": self.width,
            "height": self.height,
            "frame_rate": None if self.frame_rate is None else str(self.frame_rate),
            "duration": self._seconds(self.duration),
            "codec": self.codec,
            "pixel_format": self.pixel_format,
            "rotation": self.rotation,
            "mirrored": self.mirrored,
            "interlaced": self.interlaced,
            "field_order": self.field_order,
            "telecined": self.telecined,
            "other_streams": list(self.other_streams),
            "frames": self.frames,
            "frames_with_faces": self.frames_with_faces,
            "scenes": [
                {"first_frame": s.first_frame, "frames": s.frames, "start": self._seconds(s.start)}
                for s in self.scenes
            ],
            "tracks": [
                {
                    "id": t.id,
                    "person": t.person,
                    "first_frame": t.first_frame,
                    "last_frame": t.last_frame,
                    "start": self._seconds(t.start),
                    "end": self._seconds(t.end),
                    "frames": t.frames,
                    "side": [round(v, 1) for v in t.side],
                    "sharpness": round(t.sharpness, 2),
                    "score": round(t.score, 3),
                    "drawn": None if t.drawn is None else {"mean": t.drawn.mean, "maximum": t.drawn.maximum},
                }
                for t in self.tracks
            ],
            "people": [
                {
                    "id": p.id,
                    "tracks": list(p.tracks),
                    "frames": p.frames,
                    "distance": None if p.distance is None else round(p.distance, 3),
                }
                for p in self.people
            ],
        }

    def _seconds(self, value: float) -> float | None:
        return None if self.frame_rate is None else round(value, 3)


def with_drawn(inspection: Inspection, report: Report) -> Inspection:
    """What was found in a video, with how much of each track a run with the same settings has drawn.

    Raises:
        UsageError: the run was of another video or another part of it.
    """
    if report.frames != inspection.frames:
        raise UsageError(
            f"the report is of {report.frames} frames, and there are {inspection.frames}: it is of another "
            "video, or of a run with other settings"
        )
    shares = {share.track: share for share in report.drawn}
    tracks = tuple(replace(track, drawn=shares.get(track.id)) for track in inspection.tracks)
    return replace(inspection, tracks=tracks)


def inspect_video(
    source: Path, settings: Settings, on_progress: ProgressCallback | None = None
) -> Inspection:
    """Find and follow the faces of a video as `restore_video` with the same settings will.

    Memory grows with the number of tracks and scenes only. Raises a VidrestoreError for what the user can
    cause or fix.
    """
    from vidrestore import video
    from vidrestore.detection import detect, make_detector
    from vidrestore.identity import TrackDescriber, make_recogniser
    from vidrestore.tracking import select_faces, track

    opened = video.open_video(source, deinterlace=settings.deinterlace, **settings.input_options())
    video_input, info, field_processing = opened.input, opened.info, opened.field_processing
    detector = make_detector(settings.detector, settings.device, min_face=settings.min_face)
    frames = video.read_frames(video_input, info, **settings.time_range(info.frame_rate))
    found = detect(field_processing.split_fields(frames), detector, min_face=settings.min_face)
    builder = _InspectionBuilder(describer=TrackDescriber(make_recogniser(settings.device)))
    started = time.monotonic()
    for item in select_faces(track(found), settings.faces):
        check_cancelled()
        if item.frame.second_field:
            continue  # the same picture a moment later
        builder.add(item.frame, item.scene, item.faces)
        if on_progress is not None:
            seconds = time.monotonic() - started
            total = info.frame_count if settings.start is None and settings.end is None else None
            on_progress(
                Progress(
                    frames=builder.frames,
                    total=total,
                    faces=builder.faces,
                    seconds=seconds,
                    stage="analysing",
                )
            )
    if not builder.frames:
        raise InputError(f"no frame of {source} could be decoded: the file is damaged or cut short")
    timed = settings.fps is not None or not video_input.is_picture
    return builder.result(info, field_processing, info.frame_rate if timed else None)


@dataclass(slots=True)
class _TrackStats:
    """Of one track, so far."""

    first: tuple[int, float]
    """Frame and its time."""
    last: tuple[int, float]
    frames: int = 0
    sides: list[float] = field(default_factory=lambda: [np.inf, 0.0, 0.0])
    """Least, sum, greatest."""
    sharpness: float = 0.0
    score: float = 0.0
    detection_count: int = 0
    best: tuple[bool, float] = (False, 0.0)
    thumbnail: NDArray[np.uint8] | None = None


@dataclass(slots=True)
class _InspectionBuilder:
    """What is remembered while frames pass."""

    describer: TrackDescriber
    frames: int = 0
    frames_with_faces: int = 0
    faces: int = 0
    first: float = 0.0
    last: float = 0.0
    scenes: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Number -> first frame and its time."""
    scene_frames: Counter[int] = field(default_factory=Counter)
    tracks: dict[int, _TrackStats] = field(default_factory=dict)
    seen_together: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of tracks that are in one frame, the lower one first."""

    def add(self, frame: Frame, scene: int, faces: tuple[TrackedFace, ...]) -> None:
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
        sharpness=sums.sharpness / sums.frames,
        score=sums.score / max(sums.detection_count, 1),
        thumbnail=sums.thumbnail,
    )
