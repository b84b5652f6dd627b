"""The selected part of a video, in the time base of any of its streams."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """The times from `start` to just before `end`, both relative to the first video frame."""

    origin: Fraction = Fraction(0)
    """Timestamp of the first video frame [s]."""
    start: float | None = None
    """Seconds. With None and 0 nothing is cut, not even sound before the first frame."""
    end: float | None = None
    """Seconds, or None."""

    below_zero: Fraction = Fraction(0)
    """The earliest time of all streams [s], at most 0; it becomes 0 in the output."""

    def first(self, time_base: Fraction) -> int | None:
        """The first tick inside the range; None if nothing is cut."""
        return None if not self.start else round((self.origin + Fraction(self.start)) / time_base)

    def stop(self, time_base: Fraction) -> int | None:
        """The first tick after the end, or None."""
        return None if self.end is None else round((self.origin + Fraction(self.end)) / time_base)

    def contains(self, ticks: int, time_base: Fraction) -> bool:
        """Whether a timestamp is in the range."""
        first, stop = self.first(time_base), self.stop(time_base)
        return (first is None or ticks >= first) and (stop is None or ticks < stop)

    def shift(self, time_base: Fraction) -> int:
        """Ticks to subtract from each timestamp: the part starts when the video did, but not before 0."""
        return round((Fraction(self.start or 0) + self.below_zero) / time_base)
