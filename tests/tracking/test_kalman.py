"""The filter with one covariance for all positions equals one with a full covariance of all 28 numbers."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from tests.support.motion import face
from vidrestore.tracking.filterpy_loader import kalman_filter_class
from vidrestore.tracking.kalman import (
    ACCELERATION,
    MAX_INNOVATION,
    MEASURED,
    POINT_NOISE,
    Array,
    FaceFilter,
    FilterStep,
    box_of,
    measure,
    points_of,
    smooth,
)
from vidrestore.types import Detection


class WholeFilter:
    """Positions and velocities in one state (28,), whatever of its covariance (28, 28) is zero."""

    def __init__(self, first: Detection) -> None:
        self.filter = KalmanFilter(dim_x=2 * MEASURED, dim_z=MEASURED)
        self.filter.x = np.concatenate([measure(first), np.zeros(MEASURED)])[:, None]
        self.filter.H = np.eye(MEASURED, 2 * MEASURED)
        still = (2 * self.size()) ** 2
        self.filter.P = np.diag([self.variance(first)] * MEASURED + [still] * MEASURED)
        self.acceleration = 1.0
        # State, covariance, transition to it and that transition's noise, of each frame.
        self.steps = [(self.filter.x, self.filter.P, np.eye(2 * MEASURED), np.zeros(2 * [2 * MEASURED]))]

    def step(self, seconds: float, detection: Detection | None) -> None:
        one = np.eye(MEASURED)
        self.filter.F = np.block([[one, seconds * one], [0 * one, one]])
        self.filter.Q = (ACCELERATION * self.size()) ** 2 * self.acceleration * np.block([
            [seconds**4 / 4 * one, seconds**3 / 2 * one],
            [seconds**3 / 2 * one, seconds**2 * one],
        ])  # fmt: skip
        self.filter.predict()
        if detection is not None:
            self.see(detection)
        self.steps.append((self.filter.x, self.filter.P, self.filter.F, self.filter.Q))

    def see(self, detection: Detection) -> None:
        measured, variance = measure(detection)[:, None], self.variance(detection)
        expected = np.diag(self.filter.P)[:MEASURED] + variance
        surprise = float(((measured - self.filter.H @ self.filter.x)[:, 0] ** 2 / expected).mean())
        if surprise > MAX_INNOVATION:
            self.acceleration = min(self.acceleration * surprise, 400.0)
            self.filter.P = self.filter.P * surprise
        else:
            self.acceleration = max(self.acceleration * 0.6, 1.0)
        self.filter.update(measured, R=np.eye(MEASURED) * variance)

    def smoothed(self, first: int) -> Array:
        later = self.steps[-1][0]
        for at in range(len(self.steps) - 2, first - 1, -1):
            (state, covariance, _, _), (_, _, transition, noise) = self.steps[at : at + 2]
            predicted = transition @ covariance @ transition.T + noise
            gain = np.linalg.solve(predicted, transition @ covariance).T
            later = state + gain @ (later - transition @ state)
        return later[:, 0].reshape(2, MEASURED)

    def size(self) -> float:
        return max(float(self.filter.x[2:4, 0].mean()), 4.0)

    def variance(self, detection: Detection) -> float:
        return (POINT_NOISE * self.size()) ** 2 / max(detection.score, 0.1)


def shaken(i: int) -> Detection | None:
    """A face that stands, goes, jumps and is lost for a while; not always surely seen."""
    if 20 <= i < 24:
        return None
    x = 100 + 6.0 * max(i - 10, 0) + (60 if i > 30 else 0)
    noise = np.random.default_rng(i).normal(0, 2, (5, 2))
    return face((x, 120), noise=noise, score=0.3 + 0.6 * (i % 3) / 2)


def values(step: FilterStep) -> tuple[Array, ...]:
    return step.state, step.covariance, step.transition, step.noise


def seconds(i: int) -> float:
    """Frames of no even rate."""
    return 0.04 if i % 4 else 0.05


def test_steps_and_smoothed_states_equal_those_of_the_whole_filter() -> None:
    start = shaken(0)
    assert start is not None
    ours, whole = FaceFilter(start), WholeFilter(start)
    steps = [ours.step()]
    for i in range(1, 45):
        ours.predict(seconds(i))
        steps.append(ours.update(shaken(i)))
        whole.step(seconds(i), shaken(i))
    for at, (step, (state, *_)) in enumerate(zip(steps, whole.steps, strict=True)):
        assert step.state == pytest.approx(state.reshape(2, MEASURED), rel=1e-9, abs=1e-9)
        assert smooth(steps[at:]) == pytest.approx(whole.smoothed(at), rel=1e-9, abs=1e-9)


def test_a_step_does_not_change_with_later_frames() -> None:
    start, following = shaken(0), shaken(1)
    assert start is not None
    ours = FaceFilter(start)
    ours.predict(0.04)
    step = ours.update(following)
    before = [value.copy() for value in values(step)]
    ours.predict(0.04)
    ours.update(shaken(2))
    for value, old in zip(values(step), before, strict=True):
        assert np.array_equal(value, old)


def test_a_state_gives_back_the_box_and_the_points_that_were_seen() -> None:
    seen = shaken(0)
    assert seen is not None
    state = FaceFilter(seen).state
    assert box_of(state) == pytest.approx(seen.box, abs=1e-4)
    assert points_of(state) == pytest.approx(seen.landmarks, abs=1e-4)


def test_the_filter_is_filterpys_own() -> None:
    ours = kalman_filter_class()
    assert inspect.getsource(ours.update) == inspect.getsource(KalmanFilter.update)
    assert inspect.getsource(ours.rts_smoother) == inspect.getsource(KalmanFilter.rts_smoother)


def test_following_a_face_imports_neither_scipy_nor_the_rest_of_filterpy() -> None:
    code = (
        "import sys; from tests.support.motion import face; from vidrestore.tracking import kalman\n"
        "one = kalman.FaceFilter(face((100, 100))); one.predict(0.04)\n"
        "kalman.smooth([one.step(), one.update(face((101, 100)))])\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('scipy', 'filterpy')])\n"
        "one._filter.log_likelihood\n"  # what needs the rest loads it
        "print('filterpy.stats' in sys.modules)\n"
        "import filterpy.kalman; print(filterpy.kalman.KalmanFilter.__module__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == ["[]", "True", "filterpy.kalman.kalman_filter"]


def test_another_layout_of_filterpy_is_imported_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrestore.tracking.filterpy_loader.Path.is_file", lambda _: False)
    monkeypatch.delitem(sys.modules, "filterpy.kalman")
    kalman_filter_class.cache_clear()
    try:
        assert kalman_filter_class().__name__ == "KalmanFilter"
    finally:
        kalman_filter_class.cache_clear()
