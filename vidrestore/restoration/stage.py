"""AlignedFace -> RestoredFace: batches across frames and tracks, blended over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from vidrestore.restoration.neighbours import neighbours
from vidrestore.restoration.restorer import FaceRestorer
from vidrestore.restoration.temporal_blend import TemporalBlend
from vidrestore.runtime.pipeline_threads import map_ahead, map_in_batches, windows
from vidrestore.runtime.worker_threads import WorkerPool
from vidrestore.types import AlignedFace, FloatArray, FrameFaces, RestoredFace

T = TypeVar("T")
"""What there is of a face: its features, its codes or its picture."""
WithNeighbours = tuple[T, Sequence[tuple[int, T]]]
"""That, and the same in the frames around it, each with how many frames later it is."""


def restore(
    items: Iterable[FrameFaces[AlignedFace]],
    restorer: FaceRestorer,
    blend: TemporalBlend,
    *,
    batch: int = 8,
    max_frames: int = 32,
    network_workers: WorkerPool | None = None,
    cpu_workers: WorkerPool | None = None,
) -> Iterator[FrameFaces[RestoredFace]]:
    """One frame out per frame in, same order; the network sees `batch` faces of any frames and tracks.

    Frames wait until a batch is full, at most `max_frames` of them before each of the network's three steps,
    and as many as the blend looks ahead in between, so memory has a bound whatever the video holds. With
    `network_workers`, several batches are computed at the same time, each by a thread of its own; with
    `cpu_workers`, the pictures of several frames are averaged at the same time.
    """
    encoded = map_in_batches(
        items,
        lambda item: [_apply_gain(face) for face in item.faces],
        restorer.encode,
        batch=batch,
        max_items=max_frames,
        workers=network_workers,
    )
    predicted = map_in_batches(
        _blend_faces(encoded, blend.features, blend.offsets, blend),
        lambda pair: pair[1],
        restorer.predict,
        batch=batch,
        max_items=max_frames,
        workers=network_workers,
    )
    in_codes = ((item, codes) for (item, _), codes in predicted)
    decoded = map_in_batches(
        _blend_faces(in_codes, blend.codes, blend.code_offsets, blend),
        lambda pair: pair[1],
        restorer.decode,
        batch=batch,
        max_items=max_frames,
        workers=network_workers,
    )
    in_pictures = ((item, pictures) for (item, _), pictures in decoded)
    with_neighbours = _with_neighbours(in_pictures, blend.picture_offsets, blend)
    yield from map_ahead(with_neighbours, lambda frame: _make_restored_faces(*frame, blend), cpu_workers)


def _blend_faces(
    items: Iterable[tuple[FrameFaces[AlignedFace], list[T]]],
    blended: Callable[[T, Sequence[tuple[int, T]]], T],
    offsets: tuple[int, ...],
    blend: TemporalBlend,
) -> Iterator[tuple[FrameFaces[AlignedFace], list[T]]]:
    """Each frame's faces blended with their neighbours."""
    for item, faces in _with_neighbours(items, offsets, blend):
        yield item, [blended(value, others) for value, others in faces]


def _with_neighbours(
    items: Iterable[tuple[FrameFaces[AlignedFace], list[T]]], offsets: tuple[int, ...], blend: TemporalBlend
) -> Iterator[tuple[FrameFaces[AlignedFace], list[WithNeighbours[T]]]]:
    """Each frame, and what there is of each of its faces with the same of its neighbours.

    Speaks as late as the last offset says.
    """
    for window, at in windows(items, offsets[-1] if blend.strength else 0):
        item, values = window[at]
        yield (
            item,
            [
                (value, neighbours(window, at, face.track_id))
                for face, value in zip(item.faces, values, strict=True)
            ],
        )


def _make_restored_faces(
    item: FrameFaces[AlignedFace],
    pictures: Sequence[WithNeighbours[FloatArray]],
    blend: TemporalBlend,
) -> FrameFaces[RestoredFace]:
    """The frame with its restored faces, their pictures averaged with their neighbours'."""
    faces = tuple(
        RestoredFace(
            track_id=face.track_id,
            to_crop=face.to_crop,
            image=blend.picture(picture, others),
            original=face.image,
            landmarks=face.landmarks,
            opacity=face.opacity,
            gain=face.gain,
        )
        for face, (picture, others) in zip(item.faces, pictures, strict=True)
    )
    return FrameFaces(frame=item.frame, faces=faces, scene=item.scene)


def _apply_gain(face: AlignedFace) -> FloatArray:
    """The face as the network is to see it: with its brightness steadied."""
    return face.image if face.gain == 1 else np.minimum(face.image * np.float32(face.gain), 1)
