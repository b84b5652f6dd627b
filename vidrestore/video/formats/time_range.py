"""The part of a video that is wanted, in the ticks of any of its streams."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """From `start` up to but without `end`, both counted from the first video frame."""

    origin: Fraction = Fraction(0)
    """Seconds: the timestamp of the first video frame."""
    start: float | None = None
    """Seconds; None and 0 cut nothing off, not even sound before the first frame."""
    end: float | None = None
    """Seconds, or None."""

    below_zero: Fraction = Fraction(0)
    """Seconds, at most 0: the earliest time of all streams, which becomes 0."""

    def first(self, time_base: Fraction) -> int | None:
        """The first tick inside, or None where nothing is cut off."""
        return None if not self.start else round((self.origin + Fraction(self.start)) / time_base)

    def stop(self, time_base: Fraction) -> int | None:
        """The first tick behind the end, or None."""
        return None if self.end is None else round((self.origin + Fraction(self.end)) / time_base)

    def contains(self, ticks: int, time_base: Fraction) -> bool:
        first, stop = self.first(time_base), self.stop(time_base)
        return (first is None or ticks >= first) and (stop is None or ticks < stop)

    def shift(self, time_base: Fraction) -> int:
        """Ticks to take off each timestamp: the part begins where the whole began, and not below 0."""
        return round((Fraction(self.start or 0) + self.below_zero) / time_base)
