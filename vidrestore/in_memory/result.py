"""A restored picture and its faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.arrays import array_from_frame
from vidrestore.types import FloatArray, Frame, RestoredFace, TrackedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFaceInfo:
    """One face of a restored picture."""

    track_id: int
    """The same number for the same person throughout a stream."""
    box: FloatArray
    """(4,) x0 y0 x1 y1 [px], half-open."""
    landmarks: FloatArray
    """(5, 2) x y [px]: left eye, right eye, nose, left and right mouth corner as seen in the picture."""
    drawn: float
    """Share of the face's detail that was drawn, 0..1."""
    crop_before: FloatArray
    """(S, S, 3) RGB in 0..1: the aligned face before restoration."""
    crop_after: FloatArray
    """(S, S, 3) RGB in 0..1: the aligned face after restoration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A picture with its faces restored."""

    picture: NDArray[Any]
    """The picture, with the shape and type of the input."""
    faces: tuple[RestoredFaceInfo, ...]
    mask: NDArray[np.bool_]
    """(H, W): whether each pixel was changed."""


def restored(
    picture: NDArray[Any],
    before: Frame,
    after: Frame,
    faces: Sequence[RestoredFace],
    tracks: Sequence[TrackedFace],
) -> Restored:
    """The restored picture with its faces and its mask.

    Args:
        picture: The caller's array.
        before: The frame of that array.
        after: The frame with restored faces.
        faces: The restored faces.
        tracks: The tracked faces, with their boxes.
    """
    boxes = {face.track_id: face.box for face in tracks}
    changed = np.zeros((before.height, before.width), np.bool_)
    for old, new in zip(before.planes, after.planes, strict=True):
        changed |= np.asarray(old != new)
    infos = tuple(
        RestoredFaceInfo(
            track_id=face.track_id,
            box=boxes[face.track_id],
            landmarks=face.landmarks,
            drawn=face.drawn,
            crop_before=face.original,
            crop_after=face.image,
        )
        for face in faces
    )
    return Restored(picture=array_from_frame(after, picture, before), faces=infos, mask=changed)
