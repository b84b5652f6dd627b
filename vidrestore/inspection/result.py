"""The result of an inspection: scenes, face tracks and people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import UsageError
from vidrestore.identity import Person
from vidrestore.types import DrawnShare, FloatArray, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The frames from one cut to the next."""

    first_frame: int
    frames: int
    start: float
    """Time of the first frame [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceTrack:
    """One tracked face, from its first frame to its last."""

    id: int
    person: int
    """The `Person.id` of the track."""
    first_frame: int
    last_frame: int
    start: float
    """Time of the first frame [s]."""
    end: float
    """Time of the last frame [s]."""
    frames: int
    """Number of frames in which the face is restored; without gaps between first and last frame."""
    side: tuple[float, float, float]
    """Minimum, mean and maximum side of the box [px]."""
    centre: tuple[float, float]
    """Mean centre of the box, x and y, as shares of the displayed picture."""
    sharpness: float
    """Mean of `vidrestore.faces.alignment.sharpness`: about 2 is soft, 10 is a good photograph."""
    score: float
    """Mean score of the detector, 0..1."""
    drawn: DrawnShare | None = None
    """How much of the face a run has drawn; None: no report, or the run did not restore this face."""
    thumbnail: NDArray[np.uint8] = field(repr=False, compare=False)
    """(128, 128, 3) RGB, from the frame with the largest face."""
    descriptor: FloatArray | None = field(repr=False, compare=False)
    """(128,) identity descriptor from `vidrestore.identity`; None: no frame is good enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The scenes, faces and people of a video."""

    path: Path
    width: int
    height: int
    frame_rate: Fraction | None
    """None: pictures without a stated frame rate; times are then computed with 25 frames per second."""
    duration: float
    """Time from the first to the last frame [s]."""
    codec: str
    pixel_format: str
    rotation: int
    mirrored: bool
    field_order: str
    """Field order by flags and content: progressive, top or bottom (first)."""
    telecined: bool
    """Whether fields repeat as in film that was transferred to a higher frame rate."""
    other_streams: tuple[str, ...]
    frames: int
    frames_with_faces: int
    scenes: tuple[Scene, ...]
    tracks: tuple[FaceTrack, ...]
    people: tuple[Person, ...]
    seen_together: frozenset[frozenset[int]] = field(default=frozenset(), repr=False)
    """Pairs of tracks that occur in the same frame."""

    @property
    def interlaced(self) -> bool:
        return self.field_order != "progressive"

    def to_dict(self) -> dict[str, Any]:
        """The values for JSON, without pictures; times are None if the frame rate is unknown."""
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
                    "centre": [round(v, 3) for v in t.centre],
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
    """The inspection with the drawn share of each track.

    Args:
        inspection: The inspection of a video.
        report: The report of a run with the same video and settings.

    Returns:
        The inspection, with `FaceTrack.drawn`.

    Raises:
        UsageError: The run was of another video, or of another part of it.
    """
    if report.frames != inspection.frames:
        raise UsageError(
            f"the report has {report.frames} frames, but the input has {inspection.frames}: it is the report "
            "of another video, or of a run with other settings"
        )
    shares = {share.track: share for share in report.drawn}
    tracks = tuple(replace(track, drawn=shares.get(track.id)) for track in inspection.tracks)
    return replace(inspection, tracks=tracks)
