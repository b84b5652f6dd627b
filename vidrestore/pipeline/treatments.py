"""Applies the settings and the sidecar to the faces of a frame: selection, and treatment of each face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from vidrestore.settings import Settings
from vidrestore.types import AlignedFace, FrameFaces, TrackedFace


def chosen_faces(
    items: Iterable[FrameFaces[TrackedFace]], settings: Settings
) -> Iterator[FrameFaces[TrackedFace]]:
    """The frames with the faces to restore: selected by `faces` and not excluded by the sidecar.

    Args:
        items: Frames with all tracked faces.
        settings: All settings.

    Returns:
        The same frames, in order.
    """
    from vidrestore.tracking import select_faces

    return without_excluded(select_faces(items, settings.faces), settings)


def without_excluded(
    items: Iterable[FrameFaces[TrackedFace]], settings: Settings
) -> Iterator[FrameFaces[TrackedFace]]:
    """The frames without the faces that the sidecar excludes.

    Args:
        items: Frames with the faces that are selected by `faces`.
        settings: All settings.

    Yields:
        The same frames, in order.
    """
    sidecar = settings.sidecar
    if sidecar is None:
        yield from items
        return
    for item in items:
        faces = tuple(
            face
            for face in item.faces
            if sidecar.treatment(item.scene, face.track_id, settings.treatment) is not None
        )
        yield replace(item, faces=faces)


def with_treatments(item: FrameFaces[AlignedFace], settings: Settings) -> FrameFaces[AlignedFace]:
    """The faces, each with its treatment by the sidecar.

    Args:
        item: A frame with aligned faces.
        settings: The settings; without a sidecar, the faces are unchanged.
    """
    if settings.sidecar is None:
        return item
    treatment = settings.sidecar.treatment
    faces = tuple(
        replace(face, treatment=treatment(item.scene, face.track_id, settings.treatment))
        for face in item.faces
    )
    return replace(item, faces=faces)
