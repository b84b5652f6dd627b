"""Measures changes outside the faces. With a lossless codec there must be none."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.evaluation.measures import FACE_SIDE
from vidrestore.faces.alignment import face_to_crop, invert_affine, transform_points
from vidrestore.types import Frame, TrackedFace

MARGIN = 0.05
"""By which a face's square counts as larger on each side, in shares of it: other detectors place it a little
differently."""


def change_outside(result: Frame, given: Frame, faces: Sequence[TrackedFace]) -> dict[str, float]:
    """The percentage of samples outside the faces that differ, and the largest difference in 8-bit codes.

    Args:
        result: The restored frame.
        given: The input's frame. If its format differs, both are compared as 8-bit RGB.
        faces: All faces that may have been changed.

    Returns:
        Both values by name; empty where the faces cover the whole frame.
    """
    covered = _covered(given, faces)
    if result.format == given.format:
        pairs = list(zip(result.planes, given.planes, strict=True))
        unit = 2.0 ** (given.format.bit_depth - 8)
    else:
        pairs = [(_rgb_codes(result), _rgb_codes(given))]
        unit = 1.0
    differing, samples, largest = 0, 0, 0
    for a, b in pairs:
        outside = _at_size(covered, a.shape[:2]) == 0
        samples += int(outside.sum()) * (a.shape[2] if a.ndim == 3 else 1)
        if not np.array_equal(a, b):
            away = cv2.absdiff(np.ascontiguousarray(a), np.ascontiguousarray(b))[outside]
            differing += int(np.count_nonzero(away))
            largest = max(largest, int(away.max(initial=0)))
    if not samples:
        return {}
    return {"changed_outside": 100 * differing / samples, "change_outside": largest / unit}


def _covered(frame: Frame, faces: Sequence[TrackedFace]) -> NDArray[np.uint8]:
    """(H, W) mask: 1 in the squares of faces with their margins."""
    mask = np.zeros((frame.height, frame.width), np.uint8)
    low, high = -MARGIN * FACE_SIDE, (1 + MARGIN) * FACE_SIDE
    square = np.array([[low, low], [high, low], [high, high], [low, high]])
    for face in faces:
        corners = transform_points(invert_affine(face_to_crop(frame, face.landmarks, FACE_SIDE)), square)
        cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask


def _at_size(mask: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """The mask at the size of a plane. A chroma sample is covered if any pixel of its cell is."""
    if mask.shape == size:
        return mask
    height, width = size
    step_y, step_x = -(-mask.shape[0] // height), -(-mask.shape[1] // width)
    padded = np.pad(mask, ((0, height * step_y - mask.shape[0]), (0, width * step_x - mask.shape[1])))
    return np.asarray(padded.reshape(height, step_y, width, step_x).max(axis=(1, 3)), np.uint8)


def _rgb_codes(frame: Frame) -> NDArray[np.uint8]:
    rgb = rgb_region(frame, 0, 0, frame.width, frame.height)
    return np.rint(rgb.clip(0, 1) * 255).astype(np.uint8)
