"""Averages the restored pictures of a face over time, along its motion.

Codes lie on a grid that is fixed to the crop, so drawn detail sticks to the grid while the skin moves by a
pixel, and a network draws the same detail slightly differently each time. Averaging features before the
decoder cannot correct that. So the decoded pictures are averaged as well. Each neighbour is first warped by
dense optical flow (OpenCV's DIS; Kroeger et al. 2016, "Fast optical flow using dense inverse search"), and
has no weight where it still shows something else.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

LEAST_SIDE = 64
"""Motion is estimated at half the side of the picture, but at least at this side [px]."""
MISMATCH_CODES = 7.5
"""Difference after warping, in 8-bit codes, at which the weight of a neighbour is 1/e."""
COMPARED_SIDE = 9
"""Side of the square over which this difference is averaged, in pixels of the flow."""
_NONE = np.empty(0)
"""OpenCV's value for an omitted argument."""
_OF_THREAD = threading.local()
"""Holds the estimators of motion of each thread, by the side of the pictures."""


def average_along_motion(
    own: FloatArray, others: Sequence[tuple[float | NDArray[np.float32], FloatArray]]
) -> FloatArray:
    """The weighted average of a face with its warped neighbours.

    Args:
        own: The face (S, S, 3) in 0..1, with weight 1.
        others: Weights and pictures of the same face in other frames. A weight is a number or a square map;
            half the side of the picture is the best resolution. It is reduced where the warped picture does
            not look like `own`.
    """
    size = own.shape[0]
    grey = _grey(own)
    total, weights = own.copy(), np.ones_like(grey, np.float32)
    for weight, other in others:
        other_grey = _grey(other)
        flow = motion_between(grey, other_grey)
        mismatch = cv2.boxFilter(
            cv2.absdiff(_warp(other_grey, flow), grey), cv2.CV_32F, (COMPARED_SIDE, COMPARED_SIDE)
        )
        if isinstance(weight, np.ndarray) and weight.shape != grey.shape:
            weight = np.asarray(cv2.resize(weight, grey.shape), np.float32)
        share = weight * np.exp(-((mismatch / MISMATCH_CODES) ** 2))
        weights += share
        at_size = np.asarray(cv2.resize(flow * np.float32(size / len(grey)), (size, size)), np.float32)
        cv2.accumulateProduct(_warp(other, at_size), _for_each_colour(share, size), total)
    return total / _for_each_colour(weights, size)


def motion_between(grey: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 2) the motion x y [px] that leads from each pixel of `grey` into `other`."""
    # An estimator has buffers, so each thread has its own ones. It also keeps the number of scales that its
    # smallest pictures allowed, so pictures of another size have another one.
    estimators = _OF_THREAD.__dict__.setdefault("estimators", {})
    if len(grey) not in estimators:
        estimators[len(grey)] = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    return np.asarray(estimators[len(grey)].calc(grey, other, _NONE), np.float32)


def _for_each_colour(weights: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(size, size, 3)"""
    return np.asarray(cv2.cvtColor(cv2.resize(weights, (size, size)), cv2.COLOR_GRAY2BGR), np.float32)


def _grey(picture: FloatArray) -> NDArray[np.uint8]:
    side = max(picture.shape[0] // 2, LEAST_SIDE)
    small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.convertScaleAbs(small, alpha=255))


def _warp(picture: NDArray, flow: NDArray[np.float32]) -> NDArray:  # type: ignore[type-arg]
    """`picture`, warped by `flow` (S, S, 2) x y [px], which leads from the result into `picture`."""
    where = _grid(len(flow)) + flow
    return np.asarray(cv2.remap(picture, where, _NONE, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


@cache
def _grid(side: int) -> NDArray[np.float32]:
    """(side, side, 2): the position x y of each pixel."""
    return np.stack(np.meshgrid(*2 * [np.arange(side, dtype=np.float32)]), axis=2)
