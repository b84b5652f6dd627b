"""Time is booked on the room that works, whatever thread it works in."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import pytest

from vidrestore.report import StageTimer
from vidrestore.runtime.pipeline_threads import Prefetch


def slow(items: Iterable[int], seconds: float) -> Iterator[int]:
    for item in items:
        time.sleep(seconds)
        yield item


def test_nested_rooms_each_get_their_own_time() -> None:
    clock = StageTimer()
    inner = clock.timed("inner", slow(range(4), 0.02))
    assert list(clock.timed("outer", slow(inner, 0.05))) == [0, 1, 2, 3]
    assert clock.seconds["inner"] == pytest.approx(0.08, abs=0.06)
    assert clock.seconds["outer"] == pytest.approx(0.20, abs=0.06)


def test_rooms_in_two_threads_are_booked_side_by_side_and_waiting_is_no_work() -> None:
    clock = StageTimer()
    began = time.monotonic()
    with Prefetch(clock.timed("ahead", slow(range(10), 0.05)), items=2) as made:
        assert list(clock.timed("behind", slow(clock.untimed(made), 0.02))) == list(range(10))
    elapsed = time.monotonic() - began
    assert clock.seconds["ahead"] == pytest.approx(0.5, abs=0.2)
    assert 0.2 <= clock.seconds["behind"] < clock.seconds["ahead"]
    assert elapsed < clock.seconds["ahead"] + clock.seconds["behind"] + 0.05
    assert set(clock.seconds) == {"ahead", "behind"}
