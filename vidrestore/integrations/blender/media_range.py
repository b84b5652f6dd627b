"""MediaRange: which frames of its file a strip shows, and where they are in the timeline."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

_EXACT_DENOMINATOR = 1001
"""Largest denominator of a frame rate. Blender states rates in single precision, such as
23.976024627685547."""
_PLACE_TOLERANCE = 0.02
"""Distance, in frames of the timeline, that the first frame of a part may have from a whole frame."""
_MORE_HANDLES = 48
"""Frames by which a part may begin earlier than requested, so that it begins near a whole frame of the
timeline."""


class MediaRange(NamedTuple):
    """Frames of a file, `first` to `last`, both included."""

    first: int
    last: int
    file_frames: int
    """Number of frames of the whole file."""
    rate: Fraction
    """Frames of the file a second."""

    @property
    def frames(self) -> int:
        return self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Whether these are all frames of the file."""
        return self.frames == self.file_frames

    def words(self) -> list[str]:
        """The command's arguments for this range; a quarter of a frame early, so that rounding drops none."""
        if self.is_whole:
            return []
        start = max((self.first - Fraction(1, 4)) / self.rate, Fraction(0))
        end = (self.last + Fraction(3, 4)) / self.rate
        return ["--start", f"{float(start):.6f}", "--end", f"{float(end):.6f}"]


class StripTimes(NamedTuple):
    """The times that Blender states for a strip."""

    content_frames: int
    """Frames of the file, without those that the user trimmed off permanently."""
    trimmed: int
    """Frames trimmed off permanently at the beginning of the file."""
    content_start: float
    """Where the content begins in the timeline, including the hidden part."""
    hidden_before: float
    """Frames of the timeline before the left handle."""
    shown: int
    """Frames of the timeline between the handles."""
    hidden_after: float
    """Frames of the timeline behind the right handle."""

    natural_stretch: float
    """Frames of the timeline for one of the file, where it plays at its own rate."""

    @property
    def stretch(self) -> float:
        """Frames of the timeline for one of the file: 1, or those of its own rate.

        Blender does not state which of the two; it follows from the strip's length.
        """
        length = self.hidden_before + self.shown + self.hidden_after
        error, natural_error = (
            abs(length - stretch * self.content_frames) for stretch in (1.0, self.natural_stretch)
        )
        return 1.0 if error <= natural_error else self.natural_stretch


def exact_rate(value: float) -> Fraction:
    """The exact frame rate of a rounded one: 24000/1001 for 23.976024627685547."""
    return Fraction(value).limit_denominator(_EXACT_DENOMINATOR)


def used_range(times: StripTimes, file_frames: int, rate: Fraction, handles: int) -> MediaRange:
    """The frames that a strip shows, with handles, within the file.

    Args:
        times: The strip's times.
        file_frames: Frames of the whole file.
        rate: Frames a second of the file.
        handles: Frames to add on both sides; a few more are added where that gives a better start.
    """
    stretch = times.stretch
    shown_first = times.trimmed + math.floor(times.hidden_before / stretch + 1e-6)
    end = times.trimmed + math.ceil((times.hidden_before + times.shown) / stretch - 1e-6) + handles
    first, last = max(shown_first - handles, 0), min(end, file_frames) - 1
    if last < first:  # only still frames beyond an end of the content are shown
        return whole_range(file_frames, rate)
    return MediaRange(_placeable(first, shown_first, times), last, file_frames, rate)


def whole_range(file_frames: int, rate: Fraction) -> MediaRange:
    """All frames of a file."""
    return MediaRange(0, file_frames - 1, file_frames, rate)


def content_start_of_part(times: StripTimes, part: MediaRange) -> float:
    """The content's start for a strip that shows the file of a part, so that each frame keeps its time."""
    return times.content_start + round((part.first - times.trimmed) * times.stretch)


def _placeable(first: int, shown_first: int, times: StripTimes) -> int:
    """The frame at or near `first` whose place in the timeline is nearest to a whole frame.

    Blender moves strips by whole frames only. A strip at its file's own rate that begins between two of them
    would show some frames one too early or too late.
    """
    lowest = max(min(first, times.trimmed), first - _MORE_HANDLES, 0)

    def misfit(frame: int) -> tuple[float, int]:
        place = (frame - times.trimmed) * times.stretch
        return max(abs(place - round(place)), _PLACE_TOLERANCE), abs(frame - first)

    return min(range(lowest, max(shown_first, first) + 1), key=misfit)
