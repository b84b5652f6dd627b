"""Detects interlacing from pixels, independent of flags, with FFmpeg's idet on some of the pictures."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import av

from vidrestore.types import FieldOrder, VideoInfo
from vidrestore.video.formats.filter_graph import FilterGraph

WINDOW = 30
"""Number of pictures examined at each of three places."""
_LEAST_COMBED = 8
"""Minimum number of combed frames, however short the video is: detail of a few pictures can look combed."""
_LEAST_LINES = 32
"""Minimum height in lines; with fewer, single edges look combed."""
_SURELY = 24
"""Minimum number of frames with motion to override flags."""
_COMBED = 0.5
"""Minimum share of combed frames in interlaced video. Rolling titles look combed to idet, but not at two of
three places. Of telecined frames 40 % are combed, and idet also counts those between them."""
_HARDLY_COMBED = 0.05
_AGREED = 0.8
_REPEATED = 0.25
"""Minimum share of frames with a repeated field in telecined video; pulldown repeats 40 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMeasure:
    """Counts by FFmpeg's idet over some frames of a video; by default none were examined."""

    frames: int = 0
    progressive: int = 0
    top: int = 0
    """Number of combed frames, top field first."""
    bottom: int = 0
    repeated: int = 0
    """Number of frames that repeat a field of the previous frame."""

    @property
    def decided(self) -> int:
        return self.progressive + self.top + self.bottom

    @property
    def combed(self) -> float:
        """Share of combed frames among those that idet could judge, 0..1."""
        return (self.top + self.bottom) / self.decided if self.decided else 0.0

    @property
    def telecined(self) -> bool:
        """Whether fields repeat as in film that was transferred to a higher frame rate."""
        return self.frames >= _LEAST_COMBED and self.repeated / self.frames > _REPEATED

    def order(self, flagged: FieldOrder) -> FieldOrder:
        """The field order by content if that is clear, otherwise by flags.

        Flags of interlaced video are right about the order. They are overridden only if many frames with
        motion show no combing: film in an interlaced signal. Flags of progressive video are not reliable.
        """
        if flagged != "progressive":
            whole = self.decided >= _SURELY and self.combed < _HARDLY_COMBED
            return "progressive" if whole else flagged
        likely: FieldOrder = "top" if self.top >= self.bottom else "bottom"
        agreed = max(self.top, self.bottom) >= _AGREED * (self.top + self.bottom)
        clear = self.top + self.bottom >= _LEAST_COMBED and self.combed > _COMBED and agreed
        return likely if clear else flagged


class FieldMeter:
    """Counts idet's results for pictures, which come in order, in one or several windows."""

    def __init__(self, info: VideoInfo) -> None:
        self._shape = (info.width, info.height)
        self._counts: Counter[str] = Counter()
        self._graph: tuple[str, FilterGraph] | None = None
        # For progressive flags, stop as soon as the remaining frames cannot prove combing.
        self._enough = 3 * WINDOW * (1 - _COMBED) if info.field_order == "progressive" else math.inf

    @property
    def is_clear(self) -> bool:
        """Whether more pictures cannot change the result."""
        return self._counts["progressive"] > self._enough

    def add(self, picture: av.VideoFrame) -> None:
        """Examines the next picture of the window, if it has the video's size."""
        if (picture.width, picture.height) != self._shape or picture.height < _LEAST_LINES:
            return
        name = picture.format.name
        if self._graph is None or self._graph[0] != name:
            self.end_window()
            self._graph = name, FilterGraph(name, *self._shape, Fraction(1, 25), ("idet", ""))
        self._count(list(self._graph[1].filter(picture)))

    def end_window(self) -> None:
        """Starts a new window: the next picture does not follow the last one."""
        if self._graph is not None:
            self._graph[1].push(None)
            self._count(list(self._graph[1].pull()))
        self._graph = None

    @property
    def measure(self) -> FieldMeasure:
        """The counts so far."""
        return FieldMeasure(
            frames=self._counts["frames"],
            progressive=self._counts["progressive"],
            top=self._counts["tff"],
            bottom=self._counts["bff"],
            repeated=self._counts["repeated"],
        )

    def _count(self, seen: list[av.VideoFrame]) -> None:
        for picture in seen:
            if self.is_clear:
                return
            notes = dict(picture.metadata)
            self._counts["frames"] += 1
            self._counts[notes["lavfi.idet.multiple.current_frame"]] += 1
            self._counts["repeated"] += notes["lavfi.idet.repeated.current_frame"] != "neither"
