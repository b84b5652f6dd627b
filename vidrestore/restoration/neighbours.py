"""Finds the values of a face in neighbouring frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from vidrestore.types import AlignedFace, FrameFaces

T = TypeVar("T")


def neighbours(
    window: Sequence[tuple[FrameFaces[AlignedFace], Sequence[T]]], at: int, track_id: int
) -> list[tuple[int, T]]:
    """The values of a track in other frames of the same scene, with their distance in frames.

    Args:
        window: Consecutive frames, each with one value for each of its faces.
        at: Index of the frame in the window; it is left out.
        track_id: The track.

    Returns:
        Distances, which are positive for later frames, and values.
    """
    scene = window[at][0].scene
    found = []
    for i, (item, values) in enumerate(window):
        if i != at and item.scene == scene:
            same = zip(item.faces, values, strict=True)
            found += [(i - at, value) for face, value in same if face.track_id == track_id]
    return found
