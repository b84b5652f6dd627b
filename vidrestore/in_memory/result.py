"""A restored picture and its faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray, Frame, RestoredFace, TrackedFace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Restored:
    """A picture with its faces restored."""

    picture: Any
    """The picture, of the input's kind: an array, a tensor, an `av.VideoFrame` or a `vidrestore.Frame`."""
    faces: tuple[RestoredFaceInfo, ...]
    mask: NDArray[np.bool_]
    """(H, W): whether each pixel was changed."""
    before_and_after: tuple[Frame, Frame] = field(repr=False)
    """The picture as planes."""

    def _repr_png_(self) -> bytes:
        """The PNG that a notebook shows: the original picture on the left, the restored one on the right."""
        from vidrestore.colour.yuv_rgb import rgb_region

        pictures = [rgb_region(frame, 0, 0, frame.width, frame.height) for frame in self.before_and_after]
        pixels = np.round(np.clip(np.concatenate(pictures, axis=1), 0, 1) * 255).astype(np.uint8)
        return bytes(cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))[1])


def restored(
    picture: Any,
    before: Frame,
    after: Frame,
    faces: Sequence[RestoredFace],
    tracks: Sequence[TrackedFace],
) -> Restored:
    """The restored picture with its faces and its mask.

    Args:
        picture: The restored one, of the caller's kind.
        before: The frame of the caller's picture.
        after: The frame with restored faces.
        faces: The restored faces.
        tracks: The tracked faces, with their boxes.
    """
    boxes = {face.track_id: face.box for face in tracks}
    changed = np.zeros((before.height, before.width), np.bool_)
    for old, new in zip(before.planes, after.planes, strict=True):
        if new is not old:
            changed |= _at_full_size(np.asarray(old != new), before)
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
    return Restored(picture=picture, faces=infos, mask=changed, before_and_after=(before, after))


def _at_full_size(changed: NDArray[np.bool_], frame: Frame) -> NDArray[np.bool_]:
    """A plane's mask at the size of the picture: a chroma sample counts for all pixels that it colours."""
    if changed.shape == (frame.height, frame.width):
        return changed
    right, down = frame.format.chroma_shift
    return changed.repeat(1 << down, 0).repeat(1 << right, 1)[: frame.height, : frame.width]
