"""How steady a restored face is over time. For every measure here, lower is better.

Pictures are (H, W, 3) float32 RGB in 0..1, aligned in the same way in every frame. The three measures read
iterators, one frame at a time, and hold two frames (or three sets of points) at any length. The value of one
pair of frames has a public function too, for callers that read several videos at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

FlowField = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthMotion:
    """Where the pixels of a frame were in the frame before."""

    flow: FlowField = field(repr=False)
    """(H, W, 2) x y [px]: add it to a pixel's place to find the same spot in the previous frame."""
    visible: NDArray[np.bool_] = field(repr=False)
    """(H, W): False where the spot was covered, outside the picture, or the flow contradicts itself."""


def flicker(restored: Iterable[FloatArray], truth: Iterable[FloatArray]) -> float:
    """Mean absolute change between consecutive faces beyond the truth's own change, 0..1 levels.

    The mean of |(r_t - r_{t-1}) - (x_t - x_{t-1})|: an error that stays the same does not count. Raises
    ValueError for unequal lengths and for fewer than two frames; so does `warping_error`.
    """
    return _mean_over_pairs(
        flicker_of_pair(before, now, true_before, true_now)
        for (before, true_before), (now, true_now) in pairwise(zip(restored, truth, strict=True))
    )


def flicker_of_pair(
    before: FloatArray, now: FloatArray, true_before: FloatArray, true_now: FloatArray
) -> float:
    """`flicker` for one pair of frames."""
    return float(np.mean(np.abs((now - before) - (true_now - true_before)), dtype=np.float64))


def warping_error(restored: Iterable[FloatArray], truth: Iterable[FloatArray]) -> float:
    """Mean squared change of the restored face along the truth's motion, where nothing was covered.

    After Lai et al. 2018, "Learning blind video temporal consistency", with the flow (OpenCV's DIS) and the
    occlusions taken from the truth. Pairs in which nothing stays visible do not count; nan if none counts.
    """
    return _mean_over_pairs(
        warping_error_of_pair(before, now, truth_motion(true_before, true_now))
        for (before, true_before), (now, true_now) in pairwise(zip(restored, truth, strict=True))
    )


def warping_error_of_pair(before: FloatArray, now: FloatArray, motion: TruthMotion) -> float:
    """`warping_error` for one pair of frames; NaN where nothing is visible."""
    if not motion.visible.any():
        return float("nan")
    difference = now - _follow(before, motion.flow)
    return float(np.mean(difference[motion.visible] ** 2, dtype=np.float64))


def truth_motion(before: FloatArray, now: FloatArray) -> TruthMotion:
    """The motion between two frames of the truth.

    A pixel is visible where the flow there and back again returns to it, within the bound of Sundaram et
    al. 2010, "Dense point trajectories by GPU-accelerated large displacement optical flow".
    """
    grey_before, grey_now = _grey(before), _grey(now)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    unknown = np.zeros((*grey_now.shape, 2), np.float32)
    backward = np.asarray(dis.calc(grey_now, grey_before, unknown.copy()), np.float32)
    forward = np.asarray(dis.calc(grey_before, grey_now, unknown.copy()), np.float32)
    returned = _follow(forward, backward)
    gap = np.sum((backward + returned) ** 2, axis=2)
    bound = 0.01 * (np.sum(backward**2, axis=2) + np.sum(returned**2, axis=2)) + 0.5
    return TruthMotion(flow=backward, visible=(gap <= bound) & _stays_inside(backward))


def landmark_jitter(landmarks: Iterable[FloatArray]) -> float:
    """Mean length of the landmarks' second difference in pixels: 0 for any steady motion.

    Each item is (K, 2) points of one frame. Raises ValueError for fewer than three frames.
    """
    total, count = 0.0, 0
    for (first, second), (_, third) in pairwise(pairwise(landmarks)):
        bend = third.astype(np.float64) - 2 * second + first
        total += float(np.mean(np.linalg.norm(bend, axis=1)))
        count += 1
    if count == 0:
        raise ValueError("landmark_jitter needs at least three frames")
    return total / count


def _mean_over_pairs(values: Iterator[float]) -> float:
    total, count, pairs = 0.0, 0, 0
    for value in values:
        pairs += 1
        if not np.isnan(value):
            total += value
            count += 1
    if pairs == 0:
        raise ValueError("a change over time needs at least two frames")
    return total / count if count else float("nan")


def _grey(picture: FloatArray) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    return np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)


def _follow(picture: FloatArray, flow: FlowField) -> FloatArray:
    """The picture's values at the places the flow points to."""
    x, y = _targets(flow)
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _stays_inside(flow: FlowField) -> NDArray[np.bool_]:
    x, y = _targets(flow)
    height, width = flow.shape[:2]
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))


def _targets(flow: FlowField) -> tuple[FloatArray, FloatArray]:
    rows, columns = np.indices(flow.shape[:2], dtype=np.float32)
    return columns + flow[..., 0], rows + flow[..., 1]
