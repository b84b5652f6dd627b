"""Whether pictures are combed, whatever their flags say; and how an interlaced video is gone about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from vidrestore.errors import InputError
from vidrestore.settings import Deinterlace
from vidrestore.types import FieldOrder, Frame, VideoInfo
from vidrestore.video.formats import pixel_formats
from vidrestore.video.formats.filter_graph import FilterGraph
from vidrestore.video.interlacing import fields
from vidrestore.video.reading.frames import read_frames
from vidrestore.video.reading.input import Input, as_input

_WINDOW = 30
"""Frames looked at in each of three places."""
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
    """What FFmpeg's idet saw in some of a video's frames."""

    frames: int
    progressive: int
    top: int
    """Combed, the top line's field first."""
    bottom: int
    repeated: int
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


_NOTHING_SEEN = FieldMeasure(frames=0, progressive=0, top=0, bottom=0, repeated=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProcessing:
    """How a video's pictures are taken apart before they are worked on, and put together again."""

    method: Literal["whole", "fields", "bwdif"]
    order: FieldOrder
    """Of the fields of the input."""
    output: FieldOrder
    """What the output is flagged as."""
    measure: FieldMeasure
    """What the pictures showed."""

    def split_fields(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Frames of one moment each: two for each interlaced one where fields are restored."""
        if self.method == "fields":
            return fields.split(frames, self.order)
        return fields.deinterlace(frames, self.order) if self.method == "bwdif" else iter(frames)

    def merge_fields(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """As many frames as the input has."""
        return fields.weave(frames, self.order) if self.method == "fields" else iter(frames)


def choose_field_processing(
    video_input: Path | Input, info: VideoInfo, deinterlace: Deinterlace
) -> FieldProcessing:
    """`keep` takes the video as interlaced, `bwdif` makes it progressive; `auto` keeps what is interlaced.

    A pipe is not looked into, as what is looked at would have to be held: its flags decide.
    """
    measure = measure_fields(video_input, info) if as_input(video_input).pipe is None else _NOTHING_SEEN
    order = measure.order(info.field_order)
    if deinterlace == "auto" and order == "progressive":
        return FieldProcessing(method="whole", order=order, output=info.field_order, measure=measure)
    if order == "progressive":
        likely: FieldOrder = "bottom" if measure.bottom > measure.top else "top"
        order = info.field_order if info.interlaced else likely
    if deinterlace == "bwdif":
        return FieldProcessing(method="bwdif", order=order, output="progressive", measure=measure)
    return FieldProcessing(method="fields", order=order, output=order, measure=measure)


def measure_fields(video_input: Path | Input, info: VideoInfo) -> FieldMeasure:
    """Looks at frames at the beginning and, of longer videos, after one and two thirds.

    Of what is flagged as progressive, only until no more frames could prove it combed.
    """
    starts = [0.0]
    long = 3 * _WINDOW / float(info.frame_rate)
    if info.duration is not None and float(info.duration) > 2 * long:
        starts += [float(info.duration) * share for share in (1 / 3, 2 / 3)]
    counts: Counter[str] = Counter()
    clear = 3 * _WINDOW * (1 - _COMBED) if info.field_order == "progressive" else math.inf
    for start in starts:
        frames = read_frames(video_input, info, start=start)
        # What is looked at may lie outside the part that is asked for: what is wrong there is not to be told.
        with suppress(InputError):
            for picture in _run_idet(islice(frames, _WINDOW if len(starts) > 1 else 3 * _WINDOW)):
                counts["frames"] += 1
                counts[picture["lavfi.idet.multiple.current_frame"]] += 1
                counts["repeated"] += picture["lavfi.idet.repeated.current_frame"] != "neither"
                if counts["progressive"] > clear:
                    return _measure(counts)
    return _measure(counts)


def _measure(counts: Counter[str]) -> FieldMeasure:
    return FieldMeasure(
        frames=counts["frames"],
        progressive=counts["progressive"],
        top=counts["tff"],
        bottom=counts["bff"],
        repeated=counts["repeated"],
    )


def _run_idet(frames: Iterable[Frame]) -> Iterator[dict[str, str]]:
    """What idet writes on each frame."""
    graph: FilterGraph | None = None
    for number, frame in enumerate(frames):
        if graph is None:
            name = frame.format.name
            graph = FilterGraph(name, frame.width, frame.height, frame.time_base, ("idet", ""))
        picture = pixel_formats.pack(frame.planes, frame.format.name)
        picture.pts, picture.time_base = number, frame.time_base
        yield from (dict(filtered.metadata) for filtered in graph.filter(picture))
    if graph is not None:
        graph.push(None)
        yield from (dict(filtered.metadata) for filtered in graph.pull())
