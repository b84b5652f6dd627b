"""AlignedFace -> RestoredFace: batches across frames and tracks, blended over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from vidrestore.restoration.blending import TemporalBlend
from vidrestore.restoration.restorer import FaceFeatures, FaceRestorer
from vidrestore.streaming import map_in_batches
from vidrestore.types import AlignedFace, FrameFaces, RestoredFace

_Encoded: TypeAlias = tuple[FrameFaces[AlignedFace], list[FaceFeatures]]
"""A frame and the features of each of its faces."""


def restore(
    items: Iterable[FrameFaces[AlignedFace]],
    restorer: FaceRestorer,
    blend: TemporalBlend,
    *,
    batch: int = 8,
    max_frames: int = 32,
) -> Iterator[FrameFaces[RestoredFace]]:
    """One frame out per frame in, same order; the network sees `batch` faces of any frames and tracks.

    Frames wait until a batch is full, at most `max_frames` of them before encoding, as many before
    decoding, and `blend.radius` in between, so memory has a bound whatever the video holds.
    """
    encoded = map_in_batches(
        items,
        lambda item: [face.image for face in item.faces],
        restorer.encode,
        batch=batch,
        max_items=max_frames,
    )
    decoded = map_in_batches(
        _blended(encoded, blend),
        lambda pair: pair[1],
        restorer.decode,
        batch=batch,
        max_items=max_frames,
    )
    for (item, _), images in decoded:
        faces = tuple(
            RestoredFace(
                track_id=face.track_id,
                to_crop=face.to_crop,
                image=image,
                original=face.image,
                landmarks=face.landmarks,
                opacity=face.opacity,
            )
            for face, image in zip(item.faces, images, strict=True)
        )
        yield FrameFaces(frame=item.frame, faces=faces, scene=item.scene)


def _blended(items: Iterable[_Encoded], blend: TemporalBlend) -> Iterator[_Encoded]:
    """Each frame's features blended with its neighbours'; speaks `blend.radius` frames late."""
    radius = blend.radius if blend.strength > 0 else 0
    window: deque[_Encoded] = deque()
    at = 0  # where in the window the next frame to hand out is
    for pair in items:
        window.append(pair)
        if len(window) - at > radius:
            yield _blend_frame(window, at, blend)
            at += 1
        if at > radius:
            window.popleft()
            at -= 1
    while at < len(window):
        yield _blend_frame(window, at, blend)
        at += 1


def _blend_frame(window: deque[_Encoded], at: int, blend: TemporalBlend) -> _Encoded:
    item, features = window[at]
    return item, [
        blend(feature, _neighbours(window, at, face.track_id, blend.radius))
        for face, feature in zip(item.faces, features, strict=True)
    ]


def _neighbours(
    window: deque[_Encoded], at: int, track_id: int, radius: int
) -> list[tuple[int, FaceFeatures]]:
    """Features of the same track within `radius` frames of the same scene, with how far away they are."""
    scene = window[at][0].scene
    found = []
    for i in range(max(at - radius, 0), min(at + radius + 1, len(window))):
        item, features = window[i]
        if i != at and item.scene == scene:
            same = zip(item.faces, features, strict=True)
            found += [(abs(i - at), feature) for face, feature in same if face.track_id == track_id]
    return found
