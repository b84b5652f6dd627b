"""AlignedFace -> RestoredFace: batches across frames and tracks, blended over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vidrestore.restoration.blending import TemporalBlend
from vidrestore.restoration.restorer import FaceRestorer
from vidrestore.streaming import group_until
from vidrestore.types import AlignedFace, FrameFaces, RestoredFace


@dataclass(slots=True)
class _Encoded:
    """A frame whose faces are encoded; features by track id, (C, L, L) each."""

    item: FrameFaces[AlignedFace]
    features: dict[int, Tensor] = field(default_factory=dict)


def restore(
    items: Iterable[FrameFaces[AlignedFace]],
    restorer: FaceRestorer,
    blend: TemporalBlend,
    *,
    batch: int = 8,
    max_frames: int = 32,
) -> Iterator[FrameFaces[RestoredFace]]:
    """One frame out per frame in, same order; speaks `blend.radius` frames and one batch late.

    Frames are held until they carry `batch` faces of all tracks, or `max_frames` of them are waiting, so
    memory has a bound whatever the video holds.
    """
    radius = blend.radius if blend.strength > 0 else 0
    past: deque[_Encoded] = deque(maxlen=radius) if radius else deque(maxlen=0)
    waiting: deque[_Encoded] = deque()
    for group in group_until(items, lambda item: len(item.faces), batch, max_frames):
        waiting.extend(_encode(group, restorer, batch))
        ready = max(len(waiting) - radius, 0)
        yield from _decode(past, waiting, ready, restorer, blend, batch)
    yield from _decode(past, waiting, len(waiting), restorer, blend, batch)


def _encode(group: list[FrameFaces[AlignedFace]], restorer: FaceRestorer, batch: int) -> Iterator[_Encoded]:
    images = [face.image for item in group for face in item.faces]
    features: list[Tensor] = []
    for start in range(0, len(images), batch):
        features.extend(restorer.encode(images[start : start + batch]))
    following = iter(features)
    for item in group:
        yield _Encoded(item, {face.track_id: next(following) for face in item.faces})


def _decode(
    past: deque[_Encoded],
    waiting: deque[_Encoded],
    ready: int,
    restorer: FaceRestorer,
    blend: TemporalBlend,
    batch: int,
) -> Iterator[FrameFaces[RestoredFace]]:
    """Restore and hand out the first `ready` waiting frames; they become the past."""
    window = [*past, *waiting]
    first = len(past)
    blended = [
        blend(window[at].features[face.track_id], _neighbours(window, at, face.track_id, blend.radius))
        for at in range(first, first + ready)
        for face in window[at].item.faces
    ]
    images = []
    for start in range(0, len(blended), batch):
        images.extend(restorer.decode(torch.stack(blended[start : start + batch])))
    following = iter(images)
    for _ in range(ready):
        done = waiting.popleft()
        past.append(done)
        faces = tuple(
            RestoredFace(
                track_id=face.track_id,
                to_crop=face.to_crop,
                image=next(following),
                original=face.image,
                landmarks=face.landmarks,
                opacity=face.opacity,
            )
            for face in done.item.faces
        )
        yield FrameFaces(frame=done.item.frame, faces=faces, scene=done.item.scene)


def _neighbours(window: list[_Encoded], at: int, track_id: int, radius: int) -> list[tuple[int, Tensor]]:
    """Features of the same track within `radius` frames of the same scene, with how far away they are."""
    scene = window[at].item.scene
    return [
        (abs(i - at), window[i].features[track_id])
        for i in range(max(at - radius, 0), min(at + radius + 1, len(window)))
        if i != at and window[i].item.scene == scene and track_id in window[i].features
    ]
