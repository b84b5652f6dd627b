"""What there is of a face in the frames around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from vidrestore.types import AlignedFace, FrameFaces

T = TypeVar("T")


def neighbours(
    window: Sequence[tuple[FrameFaces[AlignedFace], Sequence[T]]], at: int, track_id: int
) -> list[tuple[int, T]]:
    """Values of the same track in the same scene as frame `at`, with how many frames later (+) they are.

    A frame's values run along its faces. The frame itself is left out.
    """
    scene = window[at][0].scene
    found = []
    for i, (item, values) in enumerate(window):
        if i != at and item.scene == scene:
            same = zip(item.faces, values, strict=True)
            found += [(i - at, value) for face, value in same if face.track_id == track_id]
    return found
