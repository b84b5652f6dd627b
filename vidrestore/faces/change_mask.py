"""A mask of the changes in a frame, for use in an editor.

It is white where a face was replaced completely, grey where the change fades out, and black where the frame
was not changed at all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vidrestore.faces.alignment import transform_points
from vidrestore.faces.compositing import face_mask, head_mask
from vidrestore.faces.crop_place import place_in_frame, warp_back
from vidrestore.types import ColourTags, FloatArray, Frame, FrameFaces, PixelFormat, Plane, RestoredFace

MASK_8 = PixelFormat(name="gray", family="gray", bit_depth=8)
MASK_16 = PixelFormat(name="gray16le", family="gray", bit_depth=16)
MASK_COLOUR = ColourTags(full_range=True)


def mask_format(depth: int) -> PixelFormat:
    """The pixel format of masks for a video with `depth` bits per sample: grey, 8 or 16 bits."""
    return MASK_8 if depth <= 8 else MASK_16


def change_mask(item: FrameFaces[RestoredFace], result: Frame, *, strength: float) -> Frame:
    """The mask of a frame, with its size and time.

    Args:
        item: The original frame and its restored faces.
        result: The frame with the faces composited at this `strength`.
        strength: Share of the restored face in the result, 0..1.
    """
    frame = item.frame
    weight = np.zeros((frame.height, frame.width), np.float32)
    for face in item.faces:
        _add_face(weight, face, frame, strength)
    mask_kind = mask_format(frame.format.bit_depth)
    codes = np.rint(weight * np.float32((1 << mask_kind.bit_depth) - 1))
    mask: Plane = codes.astype(np.uint8) if mask_kind.bit_depth == 8 else codes.astype(np.uint16)
    if item.faces:
        mask[_changed(frame, result) & (mask == 0)] = 1
    return replace(
        frame, planes=(mask,), format=mask_kind, colour=MASK_COLOUR, captions=b"", active_format=None
    )


def _add_face(weight: FloatArray, face: RestoredFace, frame: Frame, strength: float) -> None:
    size = face.image.shape[0]
    if face.estimate is None:
        mask = face_mask(transform_points(face.to_crop, face.landmarks), size)
    else:
        mask = head_mask(size)
    place = place_in_frame(mask, face.to_crop, frame)
    if place is None:
        return
    share = np.float32(min(strength * face.opacity, 1.0))
    part = weight[place.rows, place.columns]
    np.maximum(part, warp_back(mask, place) * share, out=part)


def _changed(before: Frame, after: Frame) -> NDArray[np.bool_]:
    """(H, W): whether a sample of any plane differs."""
    height, width = before.height, before.width
    changed = np.zeros((height, width), np.bool_)
    for old, new in zip(before.planes, after.planes, strict=True):
        differs = np.asarray(old != new)
        across, down = -(-width // differs.shape[1]), -(-height // differs.shape[0])
        changed |= differs.repeat(down, 0).repeat(across, 1)[:height, :width]
    return changed
