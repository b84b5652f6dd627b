"""Matches detections to tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.faces.boxes import overlap
from vidrestore.faces.face_square import face_size
from vidrestore.types import Detection, FloatArray, Frame

MAX_COST = 1.0
_IMPOSSIBLE = 1e3
_SIDE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPrediction:
    """The predicted position of a track in this frame, and its appearance."""

    box: FloatArray
    landmarks: FloatArray
    appearance: FloatArray


def appearance_of(frame: Frame, box: NDArray[np.floating]) -> FloatArray:
    """(256,) the face's luma at 16 x 16 pixels, mean 0 and length 1; zeros if the box is off the frame."""
    x0, x1 = (min(max(round(float(v)), 0), frame.width) for v in box[[0, 2]])
    y0, y1 = (min(max(round(float(v)), 0), frame.height) for v in box[[1, 3]])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return np.zeros(_SIDE * _SIDE, np.float32)
    patch = frame.planes[0][y0:y1, x0:x1].astype(np.float32)
    small = cv2.resize(patch, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).ravel()
    small = small - small.mean()
    return (small / (np.linalg.norm(small) + 1e-6)).astype(np.float32)


def appearance_similarity(a: FloatArray, b: FloatArray) -> float:
    """Correlation of two appearances, -1..1."""
    return float(a @ b)


def assign(
    predictions: Sequence[TrackPrediction], detections: Sequence[Detection], appearances: Sequence[FloatArray]
) -> list[tuple[int, int]]:
    """The pairs of tracks and detections with the least total cost.

    The cost is a weighted sum of missing overlap, distance of the points relative to the face's size, and
    difference of appearance. A pair above `MAX_COST` is not allowed.

    Args:
        predictions: The tracks.
        detections: The detections of the frame.
        appearances: The appearance of each detection.

    Returns:
        Indices (track, detection) of each pair; other tracks and detections have no partner.
    """
    if not predictions or not detections:
        return []
    costs = np.array(
        [[_cost(e, d, a) for d, a in zip(detections, appearances, strict=True)] for e in predictions]
    )
    allowed = costs <= MAX_COST
    if allowed.sum(0).max() <= 1 and allowed.sum(1).max() <= 1:
        return [(int(r), int(c)) for r, c in np.argwhere(allowed)]  # no track has a choice
    # It takes 0.3 s to import, so only if there is a choice.
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(np.minimum(costs, MAX_COST))
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if allowed[r, c]]


def _cost(prediction: TrackPrediction, detection: Detection, appearance: FloatArray) -> float:
    size = face_size(prediction.landmarks) + 1e-3
    distance = float(np.hypot(*(prediction.landmarks - detection.landmarks).T).mean()) / size
    shared = overlap(prediction.box, detection.box)
    if distance > 1.5 and shared < 0.1:
        return _IMPOSSIBLE
    difference = 1 - appearance_similarity(prediction.appearance, appearance)
    return 0.4 * (1 - shared) + 0.3 * distance + 0.4 * difference
