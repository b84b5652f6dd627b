"""Selects the tracked faces to restore."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from vidrestore.faces.boxes import mean_side
from vidrestore.tracking.track_conditions import is_conditions
from vidrestore.types import FrameFaces, TrackedFace

EXCEPT, LIKE, PERSON = "not:", "like:", "p"
"""Prefixes in the setting `faces`: all but these; the person in a photo; the number of a person."""
MIN_SIZE_RATIO = 1.25
"""Another face is selected as the largest only if it exceeds the selected one by this factor."""


def select_faces(items: Iterable[FrameFaces[TrackedFace]], faces: str) -> Iterator[FrameFaces[TrackedFace]]:
    """The frames with the selected faces only.

    Args:
        items: Frames with tracked faces.
        faces: `all`, `none`, tracks (`0,3,4`), all but some tracks (`not:0,3`), or `largest`, which stays
            with one face until another is clearly larger or a scene begins. People have been replaced by
            their tracks (see `needs_inspection`).

    Yields:
        Each frame with its selected faces.
    """
    if faces == "all":
        yield from items
    elif faces == "largest":
        largest = LargestFace()
        for item in items:
            yield _with(item, largest.choose(item.scene, item.faces))
    else:
        is_chosen = chosen_by_track(faces)
        for item in items:
            yield _with(item, [face for face in item.faces if is_chosen(face.track_id)])


def chosen_by_track(faces: str) -> Callable[[int], bool]:
    """Whether a track is selected. `faces` is not `largest` and names no people."""
    track_ids, is_exclusion = named_tracks(faces), faces.startswith(EXCEPT)
    return lambda track: faces == "all" or (track in track_ids) != is_exclusion


def needs_inspection(faces: str) -> bool:
    """Whether `faces` selects what only a whole analysis knows: people, sizes, places."""
    names = faces.removeprefix(EXCEPT)
    return (
        faces.startswith(LIKE)
        or is_conditions(names)
        or any(part.startswith(PERSON) for part in names.split(","))
    )


def named_tracks(faces: str) -> set[int]:
    """The track numbers in `faces`, whether selected or excluded."""
    names = faces.removeprefix(EXCEPT)
    return set() if names in ("all", "largest", "none") else {int(part) for part in names.split(",")}


class LargestFace:
    """Selects the largest face, frame after frame; the selection depends on the scene's earlier frames."""

    def __init__(self) -> None:
        self._chosen: tuple[int, int] | None = None
        """Scene and track."""

    def choose(self, scene: int, faces: Sequence[TrackedFace]) -> list[TrackedFace]:
        """The selected face of the next frame; nothing if there is no face."""
        sizes = {face.track_id: mean_side(face.box) for face in faces}
        if not sizes:
            return []
        largest = max(sizes, key=sizes.__getitem__)
        current = self._chosen[1] if self._chosen is not None and self._chosen[0] == scene else None
        if current not in sizes or sizes[largest] > MIN_SIZE_RATIO * sizes[current]:
            current = largest
        self._chosen = (scene, current)
        return [face for face in faces if face.track_id == current]


def _with(item: FrameFaces[TrackedFace], faces: list[TrackedFace]) -> FrameFaces[TrackedFace]:
    return FrameFaces(frame=item.frame, faces=tuple(faces), scene=item.scene)
