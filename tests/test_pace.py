"""The rate and the time left are of the last half minute of the work alone."""

from __future__ import annotations

import pytest

from vidrestore.pace import UNKNOWN, WINDOW_SECONDS, Pace, PaceMeter
from vidrestore.types import Progress, Stage


def at(
    frames: int, seconds: float, total: int | None = 300, stage: Stage = "restoring", resumed: int = 0
) -> Progress:
    return Progress(frames=frames, total=total, faces=0, seconds=seconds, stage=stage, resumed_frames=resumed)


def run(meter: PaceMeter, rate: float, begin: float, seconds: float, frames: int = 0) -> Pace:
    """The pace after a steady stretch."""
    pace = UNKNOWN
    for tenth in range(int(seconds * 10) + 1):
        pace = meter.update(at(frames + round(rate * tenth / 10), begin + tenth / 10))
    return pace


def test_loading_is_not_in_the_rate() -> None:
    meter = PaceMeter()
    meter.update(at(0, 0.0, stage="opening"))
    meter.update(at(0, 1.0, stage="loading"))
    pace = run(meter, 10, begin=21.0, seconds=10)
    assert pace.rate == pytest.approx(10)
    assert pace.seconds_left == pytest.approx(20)


def test_no_rate_is_stated_before_enough_work_is_done() -> None:
    meter = PaceMeter()
    assert run(meter, 10, begin=0, seconds=2.5) == UNKNOWN
    assert run(meter, 10, begin=2.6, seconds=1, frames=26).rate == pytest.approx(10, rel=0.1)


def test_a_change_of_speed_is_seen_within_the_window() -> None:
    meter = PaceMeter()
    run(meter, 10, begin=0, seconds=60)
    pace = run(meter, 2, begin=60, seconds=WINDOW_SECONDS + 1, frames=600)
    assert pace.rate == pytest.approx(2, rel=0.05)


def test_frames_of_an_earlier_run_do_not_count() -> None:
    meter = PaceMeter()
    meter.update(at(200, 0.0, resumed=200))
    pace = meter.update(at(220, 10.0, resumed=200))
    assert pace == Pace(rate=2.0, seconds_left=40.0)


def test_work_that_is_done_again_starts_the_estimate_again() -> None:
    meter = PaceMeter()
    run(meter, 10, begin=0, seconds=10)
    assert meter.update(at(50, 10.1)) == UNKNOWN


def test_without_a_total_there_is_a_rate_and_no_time() -> None:
    meter = PaceMeter()
    meter.update(at(0, 0.0, total=None))
    assert meter.update(at(40, 4.0, total=None)) == Pace(rate=10.0, seconds_left=None)


def test_more_frames_than_expected_do_no_harm() -> None:
    meter = PaceMeter()
    meter.update(at(290, 0.0))
    assert meter.update(at(310, 10.0)) == Pace(rate=2.0, seconds_left=0.0)
