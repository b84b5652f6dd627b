"""The people of a video, from the descriptors of its tracks; numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from vidrestore.identity.distance import identity_distance
from vidrestore.identity.grouping import group_tracks
from vidrestore.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The tracks of one person, over cuts and absences."""

    id: int
    """Number from 0, in order of first appearance; `--faces p0` chooses person 0."""
    tracks: tuple[int, ...]
    frames: int
    """Number of frames in which the person is restored."""
    distance: float | None
    """Largest identity distance of a track from the mean of the others; None: there is only one track, or the
    face could not be recognised."""


def find_people(
    frames: Mapping[int, int],
    descriptors: Mapping[int, FloatArray],
    seen_together: AbstractSet[tuple[int, int]],
) -> tuple[Person, ...]:
    """All people, in order of their first track. A track that cannot be recognised is a separate person.

    Args:
        frames: Number of frames of each track.
        descriptors: (128,) for each track that could be recognised.
        seen_together: Pairs of tracks in the same frame, the lower number first.
    """
    unknown = [(number,) for number in frames if number not in descriptors]
    groups = sorted([*group_tracks(descriptors, seen_together), *unknown])
    return tuple(
        Person(
            id=number,
            tracks=group,
            frames=sum(frames[track] for track in group),
            distance=_spread([descriptors[track] for track in group if track in descriptors]),
        )
        for number, group in enumerate(groups)
    )


def _spread(descriptors: Sequence[FloatArray]) -> float | None:
    """The largest distance of a descriptor from the mean of the others."""
    if len(descriptors) < 2:
        return None
    total = np.sum(descriptors, axis=0)
    others = len(descriptors) - 1
    return max(identity_distance(each, (total - each) / others) for each in descriptors)
