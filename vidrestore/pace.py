"""The stages of a run in words, its current rate, and an estimate of its remaining time.

Rate and remaining time are measured over the last half minute. Opening the video and loading the networks do
not count. At the start of a run there is no estimate.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidrestore.types import Progress, Stage

STAGES: dict[Stage, str] = {
    "opening": "examining the input",
    "loading": "loading the networks",
    "analysing": "finding faces",
    "restoring": "restoring",
    "measuring": "measuring",
    "finishing": "completing the output",
}
"""The stages of a run, in words."""
FRAME_STAGES: tuple[Stage, ...] = ("analysing", "restoring", "measuring")
"""The stages in which frames are counted."""
WINDOW_SECONDS = 30.0
LINES_VERSION = 1
"""Of the lines for programs: it grows if a name changes its meaning or is removed (docs/progress.md)."""
MIN_SECONDS = 3.0
"""Seconds of work before there is an estimate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The rate of a run, and its remaining time."""

    rate: float | None
    """Frames per second; None: not known yet."""
    seconds_left: float | None
    """None: not known yet, or the input's number of frames is unknown."""


UNKNOWN = Pace(rate=None, seconds_left=None)


class PaceMeter:
    """Computes the pace of one run. Call `update` with each `Progress`, in order."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()
        """Seconds and frames of the window, and one sample before it."""
        self._stage: str | None = None

    def update(self, progress: Progress) -> Pace:
        """The pace after this progress."""
        if progress.stage != self._stage or (self._samples and progress.frames < self._samples[-1][1]):
            self._samples.clear()  # a new stage has started, or a part of the work is repeated
            self._stage = progress.stage
        self._samples.append((progress.seconds, progress.frames))
        while len(self._samples) > 2 and self._samples[1][0] <= progress.seconds - WINDOW_SECONDS:
            self._samples.popleft()
        (since, before), (now, frames) = self._samples[0], self._samples[-1]
        is_counted = progress.stage in FRAME_STAGES
        if not is_counted or now - since < MIN_SECONDS or frames == before:
            return UNKNOWN
        rate = (frames - before) / (now - since)
        left = None if progress.total is None else max(progress.total - frames, 0) / rate
        return Pace(rate=rate, seconds_left=left)


class ProgressSampler:
    """Selects progress for lines of a file or a protocol: at most one per interval within a stage."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds`: the interval."""
        self._seconds, self._clock = seconds, clock
        self._meter, self._stage, self._due = PaceMeter(), "", 0.0

    def sample(self, progress: Progress) -> dict[str, Any] | None:
        """The values of a line for JSON, with the rate and the remaining time (`eta`); None: not due.

        Args:
            progress: The latest progress; pass each one, in order.
        """
        pace = self._meter.update(progress)
        if progress.stage == self._stage and self._clock() < self._due:
            return None
        self._stage, self._due = progress.stage, self._clock() + self._seconds
        return {
            "stage": progress.stage,
            "frames": progress.frames,
            "total": progress.total,
            "faces": progress.faces,
            "seconds": round(progress.seconds, 3),
            "rate": None if pace.rate is None else round(pace.rate, 3),
            "eta": None if pace.seconds_left is None else round(pace.seconds_left, 1),
            "resumed_frames": progress.resumed_frames,
        }
