"""How fast a run is now, and how long it will take: what a user who waits wants to know.

Both are of the last half minute, and of the work alone: opening the video and loading the networks are
neither in the rate nor in the time left. Before enough of it is done there is no estimate.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidrestore.types import Progress

WINDOW_SECONDS = 30.0
MIN_SECONDS = 3.0
"""Of work, before there is an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a run is."""

    rate: float | None
    """Frames a second; None: not known yet."""
    seconds_left: float | None
    """None: not known yet, or the input does not say how many frames it has."""


UNKNOWN = Pace(rate=None, seconds_left=None)


class PaceMeter:
    """The pace of one run, from its progress. Give it each `Progress` in turn."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        """Seconds and frames, of the window and one before it."""
        self._stage: str | None = None

    def update(self, progress: Progress) -> Pace:
        """How fast the run is now."""
        if progress.stage != self._stage or (self._samples and progress.frames < self._samples[-1][1]):
            self._samples.clear()  # the work has started, or a part of it is done again
            self._stage = progress.stage
        self._samples.append((progress.seconds, progress.frames))
        while len(self._samples) > 2 and self._samples[1][0] <= progress.seconds - WINDOW_SECONDS:
            self._samples.popleft()
        (since, before), (now, frames) = self._samples[0], self._samples[-1]
        is_counted = progress.stage in ("analysing", "restoring", "measuring")
        if not is_counted or now - since < MIN_SECONDS or frames == before:
            return UNKNOWN
        rate = (frames - before) / (now - since)
        left = None if progress.total is None else max(progress.total - frames, 0) / rate
        return Pace(rate=rate, seconds_left=left)
