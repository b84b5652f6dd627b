"""A Kalman filter over a face's box and five points, and its backward smoother.

State: 14 positions (box centre x y, width, height; five points x y) [frame px], then their 14 velocities
[px/s]. Constant velocity, driven by white acceleration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    """What the filter holds after a frame, and how it came there from the frame before."""

    state: Array
    """(28,)"""
    covariance: Array
    """(28, 28)"""
    transition: Array
    """(28, 28) from the belief before this one."""
    noise: Array
    """(28, 28) process noise of that transition."""


def measure(detection: Detection) -> Array:
    """(14,) the measured positions of a detection."""
    x0, y0, x1, y1 = detection.box.astype(np.float64)
    box = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
    return np.concatenate([box, detection.landmarks.astype(np.float64).ravel()])


def box_of(state: Array) -> NDArray[np.float32]:
    """(4,) x0 y0 x1 y1 of a state."""
    x, y, width, height = state[:4]
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2], np.float32)


def points_of(state: Array) -> NDArray[np.float32]:
    """(5, 2) points of a state."""
    return state[4:MEASURED].reshape(5, 2).astype(np.float32)


class FaceFilter:
    """filterpy's filter, fed with detections; every belief is a value of its own."""

    def __init__(self, first: Detection) -> None:
        from filterpy.kalman import KalmanFilter

        self._filter: Any = KalmanFilter(dim_x=2 * MEASURED, dim_z=MEASURED)
        positions = measure(first)
        self._filter.x = np.concatenate([positions, np.zeros(MEASURED)])[:, None]
        self._filter.H = np.eye(MEASURED, 2 * MEASURED)
        size = self.size
        still = (size * 2.0) ** 2  # a face may cross twice its size in a second before anything is known
        self._filter.P = np.diag([_variance(first, size)] * MEASURED + [still] * MEASURED)
        self._acceleration = 1.0

    @property
    def size(self) -> float:
        """Mean side of the box [px]."""
        return max(float(self._filter.x[2:4, 0].mean()), 4.0)

    @property
    def state(self) -> Array:
        return self._filter.x[:, 0].copy()

    def first_belief(self) -> Belief:
        """The belief before any transition."""
        identity = np.eye(2 * MEASURED)
        return Belief(
            state=self.state, covariance=self._filter.P.copy(), transition=identity, noise=0 * identity
        )

    def predict(self, seconds: float) -> None:
        """Move on by the time between two frames."""
        one = np.eye(MEASURED)
        self._filter.F = np.block([[one, seconds * one], [0 * one, one]])
        strength = (ACCELERATION * self.size) ** 2 * self._acceleration
        self._filter.Q = strength * np.block(
            [
                [seconds**4 / 4 * one, seconds**3 / 2 * one],
                [seconds**3 / 2 * one, seconds**2 * one],
            ]
        )
        self._filter.predict()

    def update(self, detection: Detection | None) -> Belief:
        """Take in a detection, or none, after `predict`."""
        if detection is None:
            self._filter.update(None)
        else:
            measured = measure(detection)[:, None]
            variance = _variance(detection, self.size)
            innovation = measured - self._filter.H @ self._filter.x
            expected = np.diag(self._filter.P)[:MEASURED] + variance
            surprise = float((innovation[:, 0] ** 2 / expected).mean())
            if surprise > SURPRISE:
                # Faster than thought: believe the measurement now, and expect more of it for a while.
                self._acceleration = min(self._acceleration * surprise, 400.0)
                self._filter.P = self._filter.P * surprise
            else:
                self._acceleration = max(self._acceleration * 0.6, 1.0)
            self._filter.update(measured, R=np.eye(MEASURED) * variance)
        return Belief(
            state=self.state,
            covariance=self._filter.P.copy(),
            transition=self._filter.F.copy(),
            noise=self._filter.Q.copy(),
        )


def smooth(beliefs: list[Belief]) -> Array:
    """(28,) the first belief's state, knowing all later ones (Rauch, Tung and Striebel 1965)."""
    later = beliefs[-1].state
    for belief, following in zip(beliefs[-2::-1], beliefs[:0:-1], strict=True):
        transition = following.transition
        predicted = transition @ belief.covariance @ transition.T + following.noise
        gain = np.linalg.solve(predicted, transition @ belief.covariance).T
        later = belief.state + gain @ (later - transition @ belief.state)
    return later


def _variance(detection: Detection, size: float) -> float:
    return (POINT_NOISE * size) ** 2 / max(detection.score, 0.1)
