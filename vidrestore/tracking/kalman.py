"""filterpy's Kalman filter over a face's box and five points, and its backward smoother.

State: two rows of 14 columns, the positions (box centre x y, width, height; five points x y) [frame px] and
below them their velocities [px/s]. Constant velocity, driven by white acceleration.

All 14 are measured equally well and move equally freely, and nothing ties one to another. So one covariance,
(2, 2) of a position and its velocity, holds for each of them, and one filter of two numbers is given 14
columns of them. A filter of all 28 numbers gives the same to nine digits (in the tests), and takes 30 times
the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.tracking.filterpy_loader import kalman_filter_class
from vidrestore.types import Detection

MEASURED = 14
POINT_NOISE = 0.016
"""Standard deviation of a measured position over the face's size, at score 1."""
ACCELERATION = 2.5
"""Standard deviation of a still face's acceleration, face sizes a second squared."""
SURPRISE = 2.0
"""Mean squared innovation over its variance above which the process noise is raised."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What the filter holds after a frame, and how it came there from the frame before."""

    state: Array
    """(2, 14)"""
    covariance: Array
    """(2, 2)"""
    transition: Array
    """(2, 2) from the frame before to this one."""
    noise: Array
    """(2, 2) of that transition."""


def measure(detection: Detection) -> Array:
    """(14,) the measured positions of a detection."""
    x0, y0, x1, y1 = detection.box.astype(np.float64)
    box = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
    return np.concatenate([box, detection.landmarks.astype(np.float64).ravel()])


def box_of(state: Array) -> NDArray[np.float32]:
    """(4,) x0 y0 x1 y1 of a state."""
    x, y, width, height = state[0, :4]
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2], np.float32)


def points_of(state: Array) -> NDArray[np.float32]:
    """(5, 2) points of a state."""
    return state[0, 4:].reshape(5, 2).astype(np.float32)


class FaceFilter:
    """Follows one face through its detections; every belief is a value of its own."""

    def __init__(self, first: Detection) -> None:
        positions = measure(first)
        self._filter: Any = kalman_filter_class()(dim_x=2, dim_z=1)
        self._filter.x = np.stack([positions, np.zeros(MEASURED)])
        self._filter.H = np.array([[1.0, 0.0]])
        size = self.size
        still = (size * 2.0) ** 2  # a face may cross twice its size in a second before anything is known
        self._filter.P = np.diag([_variance(first, size), still])
        self._filter.F, self._filter.Q = np.eye(2), np.zeros((2, 2))
        self._acceleration = 1.0

    @property
    def size(self) -> float:
        """Mean side of the box [px]."""
        return max(float(self._filter.x[0, 2:4].mean()), 4.0)

    @property
    def state(self) -> Array:
        """(2, 14), a copy."""
        return np.array(self._filter.x, np.float64)

    def belief(self) -> Belief:
        """What is believed now."""
        return Belief(
            state=self.state,
            covariance=np.array(self._filter.P, np.float64),
            transition=self._filter.F,
            noise=self._filter.Q,
        )

    def predict(self, seconds: float) -> None:
        """Move on by the time between two frames."""
        strength = (ACCELERATION * self.size) ** 2 * self._acceleration
        shape = np.array([[seconds**4 / 4, seconds**3 / 2], [seconds**3 / 2, seconds**2]])
        self._filter.F = np.array([[1.0, seconds], [0.0, 1.0]])
        self._filter.Q = strength * shape
        self._filter.predict()

    def update(self, detection: Detection | None) -> Belief:
        """What is believed once a detection, or none, is known; after `predict`."""
        if detection is not None:
            measured, variance = measure(detection), _variance(detection, self.size)
            self._adapt(measured, variance)
            # The measurement matrix is passed on: then filterpy takes 14 columns at once.
            self._filter.update(measured[None], R=variance, H=self._filter.H)
        return self.belief()

    def _adapt(self, measured: Array, variance: float) -> None:
        """A large innovation inflates the noise: the measurement counts more, for a while."""
        innovation = measured - self._filter.x[0]
        surprise = float((innovation @ innovation) / MEASURED / (self._filter.P[0, 0] + variance))
        if surprise > SURPRISE:
            self._acceleration = min(self._acceleration * surprise, 400.0)
            self._filter.P = self._filter.P * surprise
        else:
            self._acceleration = max(self._acceleration * 0.6, 1.0)


def smooth(beliefs: list[Belief]) -> Array:
    """The first belief's state, knowing all later ones (Rauch, Tung and Striebel, 1965).

    Args:
        beliefs: Of one face, frame after frame.

    Returns:
        (2, 14)
    """
    if len(beliefs) == 1:
        return beliefs[0].state
    states, _, _, _ = _smoother().rts_smoother(
        np.stack([belief.state for belief in beliefs]),
        np.stack([belief.covariance for belief in beliefs]),
        [belief.transition for belief in beliefs],
        [belief.noise for belief in beliefs],
    )
    return np.asarray(states[0])


@cache
def _smoother() -> Any:
    """Any filter: it is given all it needs."""
    return kalman_filter_class()(dim_x=2, dim_z=1)


def _variance(detection: Detection, size: float) -> float:
    return (POINT_NOISE * size) ** 2 / max(detection.score, 0.1)
