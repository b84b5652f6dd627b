"""Decoding times that a file leaves out or repeats, without changing when pictures are shown."""

from __future__ import annotations

from typing import Any

import av
import pytest

from vidrestore.video.reading.decoding_times import DecodingTimes

Times = tuple[int | None, int | None]
"""Presentation and decoding time."""


def _packet(times: Times) -> Any:
    packet = av.Packet(b"picture")
    packet.pts, packet.dts = times
    packet.duration = 40
    return packet


def _read(given: list[Times]) -> list[Times]:
    times = DecodingTimes()
    complete = [packet for each in given for packet in times.add(_packet(each))]
    return [(packet.pts, packet.dts) for packet in [*complete, *times.rest()]]


def test_first_times_are_counted_back_from_the_first_known_one() -> None:
    result = _read([(0, None), (160, None), (80, 0), (40, 40), (120, 80)])
    assert result == [(0, -80), (160, -40), (80, 0), (40, 40), (120, 80)]


def test_a_stream_that_ends_before_the_first_known_time_is_kept() -> None:
    assert _read([(0, None), (80, None), (40, None)]) == [(0, -80), (80, -40), (40, 0)]


def test_equal_times_are_spread_over_the_time_since_the_previous_picture() -> None:
    assert _read([(0, 0), (30, 30), (30, 30), (30, 30), (80, 80)]) == [
        (0, 0), (30, 10), (30, 20), (30, 30), (80, 80)
    ]  # fmt: skip


@pytest.mark.parametrize("given", [[(0, -80), (160, -40), (80, 0)], [(None, 0), (None, 40)], [(None, None)]])
def test_complete_times_and_missing_ones_stay(given: list[Times]) -> None:
    assert _read(given) == given


def test_few_packets_wait_for_a_known_time() -> None:
    times, waiting = DecodingTimes(), 0
    for number in range(1000):
        waiting += 1 - len(times.add(_packet((40 * number, None))))
        assert waiting <= 32
