"""Whether pictures are combed, whatever their flags say: FFmpeg's idet, counted over some of them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import av

from vidrestore.types import FieldOrder, VideoInfo
from vidrestore.video.formats.filter_graph import FilterGraph

WINDOW = 30
"""Pictures looked at in each of three places."""
_LEAST_COMBED = 4
"""Frames that must be combed, however short the video."""
_SURELY = 24
"""Frames with movement in them, by which flags may be overruled."""
_COMBED = 0.5
"""Share of combed frames from which a video is interlaced. Rolling titles look combed to idet; they are not
in two of three places. Of telecined frames two in five are, and idet takes those between for such."""
_HARDLY_COMBED = 0.05
_AGREED = 0.8
_REPEATED = 0.25
"""Share of frames with a repeated field from which a video is telecined; pulldown repeats two in five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMeasure:
    """What FFmpeg's idet saw in some of a video's frames; by default nothing."""

    frames: int = 0
    progressive: int = 0
    top: int = 0
    """Combed, the top line's field first."""
    bottom: int = 0
    repeated: int = 0
    """Frames of which a field is that of the frame before."""

    @property
    def decided(self) -> int:
        return self.progressive + self.top + self.bottom

    @property
    def combed(self) -> float:
        """Share of the frames that could be judged, 0..1."""
        return (self.top + self.bottom) / self.decided if self.decided else 0.0

    @property
    def telecined(self) -> bool:
        """Whether fields repeat as where film was transferred to a faster video."""
        return self.frames >= 2 * _LEAST_COMBED and self.repeated / self.frames > _REPEATED

    def order(self, flagged: FieldOrder) -> FieldOrder:
        """The order of fields by content where that is clear, otherwise as flagged.

        Flags of interlaced video are right about the order, and overruled only where many moving frames show
        no comb: film in an interlaced signal. Flags of progressive video say little.
        """
        if flagged != "progressive":
            whole = self.decided >= _SURELY and self.combed < _HARDLY_COMBED
            return "progressive" if whole else flagged
        likely: FieldOrder = "top" if self.top >= self.bottom else "bottom"
        agreed = max(self.top, self.bottom) >= _AGREED * (self.top + self.bottom)
        clear = self.top + self.bottom >= _LEAST_COMBED and self.combed > _COMBED and agreed
        return likely if clear else flagged


class FieldMeter:
    """Counts what idet sees in pictures, which are given in order, in one or several windows."""

    def __init__(self, info: VideoInfo) -> None:
        self._shape = (info.width, info.height)
        self._counts: Counter[str] = Counter()
        self._graph: tuple[str, FilterGraph] | None = None
        # Of what is flagged as progressive, only until no more frames could prove it combed.
        self._enough = 3 * WINDOW * (1 - _COMBED) if info.field_order == "progressive" else math.inf

    @property
    def is_clear(self) -> bool:
        """Whether more pictures cannot change the result."""
        return self._counts["progressive"] > self._enough

    def add(self, picture: av.VideoFrame) -> None:
        """Looks at the next picture of the window, if it has the video's size."""
        if (picture.width, picture.height) != self._shape:
            return
        name = picture.format.name
        if self._graph is None or self._graph[0] != name:
            self.end_window()
            self._graph = name, FilterGraph(name, *self._shape, Fraction(1, 25), ("idet", ""))
        self._count(list(self._graph[1].filter(picture)))

    def end_window(self) -> None:
        """What comes next does not follow what came before."""
        if self._graph is not None:
            self._graph[1].push(None)
            self._count(list(self._graph[1].pull()))
        self._graph = None

    @property
    def measure(self) -> FieldMeasure:
        """What was seen so far."""
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
