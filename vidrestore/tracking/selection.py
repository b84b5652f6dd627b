"""Selects the tracked faces to restore."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vidrestore.faces.boxes import mean_side
from vidrestore.types import FrameFaces, TrackedFace

MIN_SIZE_RATIO = 1.25
"""How many times as large as the largest face so far another must be to take its place: no flipping."""


def select_faces(items: Iterable[FrameFaces[TrackedFace]], faces: str) -> Iterator[FrameFaces[TrackedFace]]:
    """One frame out per frame in, with the faces that `faces` names: all, largest, or track ids 0,3,4.

    largest stays with a person until another is clearly larger, or a new scene begins.
    """
    if faces == "all":
        yield from items
    elif faces == "largest":
        yield from _largest(items)
    else:
        track_ids = {int(part) for part in faces.split(",")}
        for item in items:
            yield _with(item, [face for face in item.faces if face.track_id in track_ids])


def _largest(items: Iterable[FrameFaces[TrackedFace]]) -> Iterator[FrameFaces[TrackedFace]]:
    chosen: tuple[int, int] | None = None  # scene and track
    for item in items:
        sizes = {face.track_id: mean_side(face.box) for face in item.faces}
        if sizes:
            largest = max(sizes, key=sizes.__getitem__)
            current = chosen[1] if chosen is not None and chosen[0] == item.scene else None
            if current not in sizes or sizes[largest] > MIN_SIZE_RATIO * sizes[current]:
                current = largest
            chosen = (item.scene, current)
            yield _with(item, [face for face in item.faces if face.track_id == current])
        else:
            yield item


def _with(item: FrameFaces[TrackedFace], faces: list[TrackedFace]) -> FrameFaces[TrackedFace]:
    return FrameFaces(frame=item.frame, faces=tuple(faces), scene=item.scene)
