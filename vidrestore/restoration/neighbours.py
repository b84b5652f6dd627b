"""Finds the values of a face in neighbouring frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from vidrestore.runtime.pipeline_threads import windows

F = TypeVar("F")
"""A frame with its faces."""
T = TypeVar("T")
"""A value of a face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameValues(Generic[F, T]):
    """A frame with one value for each of its faces."""

    frame: F
    scene: int
    values: Sequence[tuple[int, T]]
    """The track and the value of each face."""


def with_track_neighbours(
    items: Iterable[FrameValues[F, T]], radius: int
) -> Iterator[tuple[FrameValues[F, T], list[list[tuple[int, T]]]]]:
    """Each frame, `radius` frames late, with the values of its tracks in other frames of the same scene.

    Args:
        items: Frames in order.
        radius: Number of frames on each side.

    Yields:
        A frame, and for each of its faces pairs of a distance in frames, which is positive for later frames,
        and a value.
    """
    for window, at in windows(items, radius):
        yield window[at], [_values_of_track(window, at, track) for track, _ in window[at].values]


def _values_of_track(window: Sequence[FrameValues[F, T]], at: int, track: int) -> list[tuple[int, T]]:
    scene = window[at].scene
    return [
        (i - at, value)
        for i, item in enumerate(window)
        if i != at and item.scene == scene
        for other, value in item.values
        if other == track
    ]
