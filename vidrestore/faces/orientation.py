"""Orientation: rotation and mirroring of frames by their display matrix, as in a player.

Frames keep their coded planes. Detection and alignment use the upright picture, and the results are converted
back here. Pictures are written upright, because their files have no display matrix. Matrices are (2, 3), and
pixel centres have integer coordinates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import UPRIGHT, Detection, Frame, Orientation

Samples = TypeVar("Samples", bound=NDArray[np.generic])

_COUNTER_CLOCKWISE = np.array([[0, 1], [-1, 0]])
"""Rotations of a point (x, y); y grows downwards."""


def upright_frame(frame: Frame) -> Frame:
    """The frame as it is displayed, for detection and previews; the same frame if it is upright.

    Its chroma may be shifted by half a sample, which is only visible in fine colour detail.
    """
    if frame.orientation == UPRIGHT:
        return frame
    form = frame.format
    if frame.orientation.is_transposed:
        form = replace(form, chroma_shift=(form.chroma_shift[1], form.chroma_shift[0]))
    planes = tuple(apply_orientation(plane, frame.orientation) for plane in frame.planes)
    return replace(frame, planes=planes, format=form, orientation=UPRIGHT)


def apply_orientation(samples: Samples, orientation: Orientation) -> Samples:
    """Samples (H, W) or (H, W, C) as they are displayed."""
    shown = np.rot90(samples, orientation.turn // 90)
    return np.ascontiguousarray(shown[:, ::-1] if orientation.mirrored else shown)  # type: ignore[return-value]


def undo_orientation(shown: Samples, orientation: Orientation) -> Samples:
    """The coded samples (H, W) or (H, W, C) from displayed ones; inverse of `apply_orientation`."""
    turned = shown[:, ::-1] if orientation.mirrored else shown
    return np.ascontiguousarray(np.rot90(turned, -(orientation.turn // 90)))  # type: ignore[return-value]


def upright_matrix(frame: Frame) -> NDArray[np.float64]:
    """(2, 3) matrix from frame px to px of the displayed picture."""
    linear = _linear(frame.orientation)
    corner = linear @ [frame.width - 1, frame.height - 1]
    return np.column_stack([linear, np.maximum(-corner, 0)]).astype(np.float64)


def display_axis(orientation: Orientation) -> tuple[int, bool]:
    """The axis of the planes (0: vertical, 1: horizontal) that is displayed horizontally, and whether it
    runs from left to right."""
    along, down = _linear(orientation)[0]
    return (1, bool(along > 0)) if along else (0, bool(down > 0))


def detection_from_upright(found: Detection, frame: Frame) -> Detection:
    """A detection in `upright_frame(frame)`, converted to the frame's own pixels.

    The landmarks keep their names: the left eye is on the left of the displayed picture.
    """
    if frame.orientation == UPRIGHT:
        return found
    matrix = upright_matrix(frame)
    back = matrix[:, :2].T  # the inverse of a rotation or reflection is its transpose
    corners = (found.box.reshape(2, 2) - 0.5 - matrix[:, 2]) @ back.T + 0.5
    box = np.concatenate([corners.min(0), corners.max(0)]).astype(np.float32)
    landmarks = ((found.landmarks - matrix[:, 2]) @ back.T).astype(np.float32)
    return replace(found, box=box, landmarks=landmarks)


def _linear(orientation: Orientation) -> NDArray[np.int_]:
    """(2, 2) matrix from coded to displayed directions."""
    turn = np.linalg.matrix_power(_COUNTER_CLOCKWISE, orientation.turn // 90)
    return np.diag([-1, 1]) @ turn if orientation.mirrored else turn
