"""Frames as a player shows them: turned and mirrored by their display matrix.

Frames keep their coded planes throughout. Who looks for faces, or cuts one out, does so on the upright
picture; what is found there is carried back here. Files of pictures do not say how to turn them and are
written turned. Matrices are (2, 3), pixel centres whole numbers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import UPRIGHT, Detection, Frame, Orientation

Samples = TypeVar("Samples", bound=NDArray[np.generic])

_COUNTER_CLOCKWISE = np.array([[0, 1], [-1, 0]])
"""Of a point (x, y) where y grows downwards."""


def upright_frame(frame: Frame) -> Frame:
    """The frame as it is shown, for looking at; itself where nothing turns it.

    Its chroma may lie half a sample beside where the tags say, which only fine colour would tell.
    """
    if frame.orientation == UPRIGHT:
        return frame
    form = frame.format
    if frame.orientation.is_transposed:
        form = replace(form, chroma_shift=(form.chroma_shift[1], form.chroma_shift[0]))
    planes = tuple(apply_orientation(plane, frame.orientation) for plane in frame.planes)
    return replace(frame, planes=planes, format=form, orientation=UPRIGHT)


def apply_orientation(samples: Samples, orientation: Orientation) -> Samples:
    """(H, W) or (H, W, C) samples as they are shown."""
    shown = np.rot90(samples, orientation.turn // 90)
    return np.ascontiguousarray(shown[:, ::-1] if orientation.mirrored else shown)  # type: ignore[return-value]


def undo_orientation(shown: Samples, orientation: Orientation) -> Samples:
    """(H, W) or (H, W, C) samples as they are coded, of samples as they are shown."""
    turned = shown[:, ::-1] if orientation.mirrored else shown
    return np.ascontiguousarray(np.rot90(turned, -(orientation.turn // 90)))  # type: ignore[return-value]


def upright_matrix(frame: Frame) -> NDArray[np.float64]:
    """(2, 3) frame px -> px of the picture as it is shown."""
    linear = _linear(frame.orientation)
    corner = linear @ [frame.width - 1, frame.height - 1]
    return np.column_stack([linear, np.maximum(-corner, 0)]).astype(np.float64)


def display_axis(orientation: Orientation) -> tuple[int, bool]:
    """Which axis of the planes (0: down the lines, 1: along them) is shown from side to side, and whether
    from left to right."""
    along, down = _linear(orientation)[0]
    return (1, bool(along > 0)) if along else (0, bool(down > 0))


def detection_from_upright(found: Detection, frame: Frame) -> Detection:
    """What was found in `upright_frame(frame)`, in the frame's own pixels.

    The landmarks keep their names: the left eye is the one on the left of the picture as it is shown.
    """
    if frame.orientation == UPRIGHT:
        return found
    matrix = upright_matrix(frame)
    back = matrix[:, :2].T  # of a turn and a mirror the inverse is the transpose
    corners = (found.box.reshape(2, 2) - 0.5 - matrix[:, 2]) @ back.T + 0.5
    box = np.concatenate([corners.min(0), corners.max(0)]).astype(np.float32)
    landmarks = ((found.landmarks - matrix[:, 2]) @ back.T).astype(np.float32)
    return replace(found, box=box, landmarks=landmarks)


def _linear(orientation: Orientation) -> NDArray[np.int_]:
    """(2, 2) coded directions -> directions as shown."""
    turn = np.linalg.matrix_power(_COUNTER_CLOCKWISE, orientation.turn // 90)
    return np.diag([-1, 1]) @ turn if orientation.mirrored else turn
