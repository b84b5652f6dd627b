"""Follows a face's box and five points with filterpy's Kalman filter and its backward smoother.

State: two rows of 14 columns, the positions (box centre x y, width, height; five points x y) [frame px] and
below them their velocities [px/s]. The model is constant velocity with white acceleration noise.

All 14 positions have the same measurement noise and process noise, and are independent. So they share one
(2, 2) covariance of position and velocity, and one filter with two state variables processes 14 columns. A
filter with 28 state variables gives the same result to nine digits (see the tests) and needs 30 times the
memory.
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
"""Standard deviation of the acceleration of a calm face [face sizes/s^2]."""
MAX_INNOVATION = 2.0
"""Mean squared innovation over its variance above which the process noise is raised."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterStep:
    """The filter's estimate after a frame, and the transition from the previous frame."""

    state: Array
    """(2, 14)"""
    covariance: Array
    """(2, 2)"""
    transition: Array
    """(2, 2) transition matrix from the previous frame."""
    noise: Array
    """(2, 2) process noise of that transition."""


def measure(detection: Detection) -> Array:
    """(14,) positions of a detection: box centre, width and height, five points."""
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
    """The Kalman filter of one face."""

    def __init__(self, first: Detection) -> None:
        positions = measure(first)
        self._filter: Any = kalman_filter_class()(dim_x=2, dim_z=1)
        self._filter.x = np.stack([positions, np.zeros(MEASURED)])
        self._filter.H = np.array([[1.0, 0.0]])
        size = self.size
        velocity_variance = (size * 2.0) ** 2  # a new face may move by twice its size per second
        self._filter.P = np.diag([_variance(first, size), velocity_variance])
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

    def step(self) -> FilterStep:
        """The current estimate."""
        return FilterStep(
            state=self.state,
            covariance=np.array(self._filter.P, np.float64),
            transition=self._filter.F,
            noise=self._filter.Q,
        )

    def predict(self, seconds: float) -> None:
        """Predicts the state after the time between two frames [s]."""
        strength = (ACCELERATION * self.size) ** 2 * self._acceleration
        shape = np.array([[seconds**4 / 4, seconds**3 / 2], [seconds**3 / 2, seconds**2]])
        self._filter.F = np.array([[1.0, seconds], [0.0, 1.0]])
        self._filter.Q = strength * shape
        self._filter.predict()

    def update(self, detection: Detection | None) -> FilterStep:
        """The estimate with a detection, or with none; call it after `predict`."""
        if detection is not None:
            measured, variance = measure(detection), _variance(detection, self.size)
            self._adapt(measured, variance)
            # With H as an argument, filterpy accepts 14 columns at once.
            self._filter.update(measured[None], R=variance, H=self._filter.H)
        return self.step()

    def _adapt(self, measured: Array, variance: float) -> None:
        """Raises the process noise for some frames after a large innovation: measurements count more."""
        innovation = measured - self._filter.x[0]
        ratio = float((innovation @ innovation) / MEASURED / (self._filter.P[0, 0] + variance))
        if ratio > MAX_INNOVATION:
            self._acceleration = min(self._acceleration * ratio, 400.0)
            self._filter.P = self._filter.P * ratio
        else:
            self._acceleration = max(self._acceleration * 0.6, 1.0)


def smooth(steps: list[FilterStep]) -> Array:
    """The state at the first step, smoothed with all later ones (Rauch, Tung and Striebel, 1965).

    Args:
        steps: Steps of one face in consecutive frames.

    Returns:
        (2, 14)
    """
    if len(steps) == 1:
        return steps[0].state
    states, _, _, _ = _smoother().rts_smoother(
        np.stack([step.state for step in steps]),
        np.stack([step.covariance for step in steps]),
        [step.transition for step in steps],
        [step.noise for step in steps],
    )
    return np.asarray(states[0])


@cache
def _smoother() -> Any:
    """A filter whose own state is not used: `rts_smoother` gets everything as arguments."""
    return kalman_filter_class()(dim_x=2, dim_z=1)


def _variance(detection: Detection, size: float) -> float:
    return (POINT_NOISE * size) ** 2 / max(detection.score, 0.1)
