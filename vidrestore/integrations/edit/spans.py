"""Parts of time as exact seconds; OpenTimelineIO's own times are floating-point numbers."""

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
"""Frames a second by which a stated rate may differ from the broadcast rate it stands for."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to but without `end` [seconds]."""

    start: Fraction
    end: Fraction

    @property
    def is_empty(self) -> bool:
        return self.end <= self.start

    def intersect(self, other: Span) -> Span:
        return Span(max(self.start, other.start), min(self.end, other.end))

    def widen(self, head: Fraction, tail: Fraction) -> Span:
        return Span(self.start - head, self.end + tail)

    def shift(self, seconds: Fraction) -> Span:
        return Span(self.start + seconds, self.end + seconds)


def exact_rate(rate: float) -> Fraction:
    """Frames a second; 23.976 and 29.97 are the broadcast rates they stand for. Raises InputError for others
    than finite numbers above 0."""
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
    """A time as exact seconds. Raises InputError where it is no finite number."""
    if not math.isfinite(time.value):
        raise InputError(f"the timeline has a time of {time.value:g} frames; correct it in the editor")
    return Fraction(time.value).limit_denominator(1_000_000) / exact_rate(time.rate)


def span(time_range: otio.opentime.TimeRange) -> Span:
    """A range as exact seconds."""
    start = seconds(time_range.start_time)
    return Span(start, start + seconds(time_range.duration))
