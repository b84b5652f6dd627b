"""A Kalman filter over a face's box and five points, and its backward smoother.

State: two rows of 14 columns, the positions (box centre x y, width, height; five points x y) [frame px] and
below them their velocities [px/s]. Constant velocity, driven by white acceleration.

All 14 are measured equally well and move equally freely, and nothing ties one to another. So one covariance,
(2, 2) of a position and its velocity, holds for each of them: the filter of all 28 numbers would carry it 14
times over, and between them nothing but zeros. filterpy's filter of all 28 says the same to nine digits (in
the tests); importing it takes 0.7 s of each start, for scipy's statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import Detection

MEASURED = 14
POINT_NOISE = 0.016
"""Standard deviation of a measured position over the face's size, at score 1."""
ACCELERATION = 2.5
"""Standard deviation of a still face's acceleration, face sizes a second squared."""
SURPRISE = 2.0
"""Mean squared innovation over its variance from which a face counts as moving faster than thought."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What the filter holds after a frame, and what that says of the frame before."""

    state: Array
    """(2, 14)"""
    expected: Array
    """(2, 14) what the belief before this one had led to expect."""
    gain: Array
    """(2, 2) how much of what the state is beyond `expected`, the state of the frame before was as well."""


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
    """The filter (Kalman, 1960), fed with detections; every belief is a value of its own."""

    def __init__(self, first: Detection) -> None:
        positions = measure(first)
        self._state: Array = np.stack([positions, np.zeros(MEASURED)])
        self._expected: Array = self._state
        size = self.size
        still = (size * 2.0) ** 2  # a face may cross twice its size in a second before anything is known
        self._covariance: Array = np.diag([_variance(first, size), still])
        self._acceleration = 1.0
        self._gain: Array = np.zeros((2, 2))

    @property
    def size(self) -> float:
        """Mean side of the box [px]."""
        return max(float(self._state[0, 2:4].mean()), 4.0)

    @property
    def state(self) -> Array:
        return self._state.copy()

    def first_belief(self) -> Belief:
        """The belief before any transition."""
        return Belief(state=self.state, expected=self.state, gain=self._gain)

    def predict(self, seconds: float) -> None:
        """Move on by the time between two frames."""
        transition = np.array([[1.0, seconds], [0.0, 1.0]])
        strength = (ACCELERATION * self.size) ** 2 * self._acceleration
        noise: Array = strength * np.array([[seconds**4 / 4, seconds**3 / 2], [seconds**3 / 2, seconds**2]])
        moved: Array = transition @ self._covariance
        self._expected = transition @ self._state
        self._state = self._expected
        self._covariance = moved @ transition.T + noise
        # Of Rauch, Tung and Striebel (1965), for `smooth`; later frames do not change it.
        self._gain = np.asarray(np.linalg.solve(self._covariance, moved).T, np.float64)

    def update(self, detection: Detection | None) -> Belief:
        """Take in a detection, or none, after `predict`."""
        if detection is not None:
            self._see(measure(detection), _variance(detection, self.size))
        return Belief(state=self.state, expected=self._expected, gain=self._gain)

    def _see(self, measured: Array, variance: float) -> None:
        innovation = measured - self._state[0]
        surprise = float((innovation @ innovation) / MEASURED / (self._covariance[0, 0] + variance))
        if surprise > SURPRISE:
            # Faster than thought: believe the measurement now, and expect more of it for a while.
            self._acceleration = min(self._acceleration * surprise, 400.0)
            self._covariance = self._covariance * surprise
        else:
            self._acceleration = max(self._acceleration * 0.6, 1.0)
        trust = self._covariance[:, 0] / (self._covariance[0, 0] + variance)
        self._state = self._state + np.outer(trust, innovation)
        # Joseph's form: rounding leaves it symmetric and positive.
        kept: Array = np.eye(2) - np.outer(trust, [1.0, 0.0])
        noise: Array = variance * np.outer(trust, trust)
        self._covariance = kept @ self._covariance @ kept.T + noise


def smooth(beliefs: list[Belief]) -> Array:
    """(2, 14) the first belief's state, knowing all later ones."""
    later = beliefs[-1].state
    for belief, following in zip(beliefs[-2::-1], beliefs[:0:-1], strict=True):
        later = belief.state + following.gain @ (later - following.expected)
    return later


def _variance(detection: Detection, size: float) -> float:
    return (POINT_NOISE * size) ** 2 / max(detection.score, 0.1)
