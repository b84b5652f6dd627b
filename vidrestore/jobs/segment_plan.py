"""Chooses where a video is cut into segments: at scene changes if there is one near.

Temporal blending ends at a scene change, so a cut there costs nothing. Elsewhere a segment is restored with
some frames around it, which are discarded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from vidrestore.jobs.frame_records import FrameRecord

LEAST_FRAMES = 32
"""Minimum length of a segment: encoders that reorder frames need some, and each segment has a fixed cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The frames from `first` to `stop - 1`."""

    number: int
    """Number of the segment, from 0."""
    first: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.first


class SegmentPlanner:
    """Receives each frame's record in order, and decides where segments end as early as possible.

    A segment has 3/4 to 5/4 of the requested length, the last one 1/4 to 5/4.
    """

    def __init__(self, seconds: float, rate: Fraction, *, context: int, begin: Sequence[Span] = ()) -> None:
        """Start planning.

        Args:
            seconds: Requested length of a segment.
            rate: Frames per second.
            context: Number of frames after a segment that must be analysed before it can be restored.
            begin: Segments that are planned already.
        """
        self._target = max(round(seconds * rate), LEAST_FRAMES)
        self._shortest, self._longest = self._target * 3 // 4, self._target * 5 // 4
        self._beyond = max(self._target // 4, context)
        self._number = len(begin)
        self._first = begin[-1].stop if begin else 0
        self._changes: list[int] = []
        self._scene: int | None = None

    @property
    def first(self) -> int:
        """First frame of the next segment: records from there on must be added."""
        return self._first

    def add(self, record: FrameRecord) -> Span | None:
        """The segment whose end is certain now that `record` is known, or None."""
        index = record.fingerprint.index
        if self._scene is not None and record.scenes[0] != self._scene:
            self._changes.append(index)
        self._scene = record.scenes[-1]
        if index < self._first + self._longest + self._beyond - 1:
            return None
        return self._cut(self._longest)

    def end(self, frames: int) -> list[Span]:
        """The remaining segments of a video with this number of frames."""
        spans = []
        while frames - self._first > self._longest:
            spans.append(self._cut(min(self._longest, frames - self._first - self._target // 4)))
        if frames > self._first:
            spans.append(self._span(frames))
        return spans

    def _cut(self, longest: int) -> Span:
        wanted = self._first + self._target
        near = range(self._first + self._shortest, self._first + longest + 1)
        changes = [change for change in self._changes if change in near]
        return self._span(min(changes, key=lambda c: (abs(c - wanted), c), default=wanted))

    def _span(self, stop: int) -> Span:
        span = Span(number=self._number, first=self._first, stop=stop)
        self._number, self._first = self._number + 1, stop
        self._changes = [change for change in self._changes if change > stop]
        return span
