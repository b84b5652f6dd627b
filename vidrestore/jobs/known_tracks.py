"""What an inspection knows of tracks: enough to choose people, sizes and places, and small enough to keep."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vidrestore.inspection import Inspection
from vidrestore.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTrack:
    """One face within a scene."""

    id: int
    person: int
    side: float
    """Mean side of the box [px]."""
    centre: tuple[float, float]
    """Mean centre, as shares of the shown picture."""
    descriptor: FloatArray | None = field(repr=False)
    """(128,) of the recogniser; None: the face was never seen well enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTracks:
    """All tracks of a video."""

    path: Path
    tracks: tuple[KnownTrack, ...]
    seen_together: frozenset[frozenset[int]]
    """Pairs of tracks that occur in the same frame."""

    @classmethod
    def of_inspection(cls, found: Inspection) -> KnownTracks:
        """What an inspection of all faces has found."""
        tracks = (
            KnownTrack(
                id=track.id,
                person=track.person,
                side=track.side[1],
                centre=track.centre,
                descriptor=track.descriptor,
            )
            for track in found.tracks
        )
        return cls(path=found.path, tracks=tuple(tracks), seen_together=found.seen_together)

    def to_json(self) -> str:
        """A text for `from_json`."""
        tracks = [
            [t.id, t.person, t.side, t.centre, None if t.descriptor is None else t.descriptor.tolist()]
            for t in self.tracks
        ]
        return json.dumps({"tracks": tracks, "together": [sorted(pair) for pair in self.seen_together]})

    @classmethod
    def from_json(cls, text: str, path: Path) -> KnownTracks:
        """The tracks of the video at `path`. Raises ValueError, LookupError or TypeError for another text."""
        values = json.loads(text)
        tracks = (
            KnownTrack(
                id=number,
                person=person,
                side=side,
                centre=(x, y),
                descriptor=None if descriptor is None else np.array(descriptor, np.float32),
            )
            for number, person, side, (x, y), descriptor in values["tracks"]
        )
        together = frozenset(frozenset(pair) for pair in values["together"])
        return cls(path=path, tracks=tuple(tracks), seen_together=together)
