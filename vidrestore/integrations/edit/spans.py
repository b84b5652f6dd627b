"""Ranges of time as exact fractions of seconds; OpenTimelineIO's own times are floating-point numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from vidrestore.errors import InputError

if TYPE_CHECKING:
    import opentimelineio as otio

_LOWEST_RATE = 0.001
_NEAR = Fraction(1, 1000)
"""Largest difference between a stated rate and the broadcast rate that is meant [frames a second]."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time from `start` to `end`, without `end` itself [seconds]."""

    start: Fraction
    end: Fraction

    @property
    def is_empty(self) -> bool:
        return self.end <= self.start

    def intersect(self, other: Span) -> Span:
        """The time that is in both; empty where they do not overlap."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    def widen(self, head: Fraction, tail: Fraction) -> Span:
        """The span with `head` more before it and `tail` more after it [seconds]."""
        return Span(self.start - head, self.end + tail)

    def shift(self, seconds: Fraction) -> Span:
        """The span, moved by `seconds`."""
        return Span(self.start + seconds, self.end + seconds)


def exact_rate(rate: float) -> Fraction:
    """The exact rate of a rounded one, such as 24000/1001 for 23.976.

    Raises:
        InputError: The rate is not a finite number above 0.
    """
    if not math.isfinite(rate) or rate < _LOWEST_RATE:
        raise InputError(f"the timeline has a time with {rate:g} frames a second; correct it in the editor")
    whole = Fraction(round(rate))
    if whole > 0 and abs(Fraction(rate) - whole) < _NEAR:
        return whole
    broadcast = Fraction(round(rate * 1.001) * 1000, 1001)
    if abs(Fraction(rate) - broadcast) < _NEAR:
        return broadcast
    return Fraction(rate).limit_denominator(100_000)


def seconds(time: otio.opentime.RationalTime) -> Fraction:
    """A time as exact seconds. Raises InputError where it is not finite."""
    if not math.isfinite(time.value):
        raise InputError(f"the timeline has a time of {time.value:g} frames; correct it in the editor")
    return Fraction(time.value).limit_denominator(1_000_000) / exact_rate(time.rate)


def span(time_range: otio.opentime.TimeRange) -> Span:
    """A range as exact seconds."""
    start = seconds(time_range.start_time)
    return Span(start, start + seconds(time_range.duration))
