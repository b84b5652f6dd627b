"""How an interlaced video is processed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from vidrestore.settings_keywords import Deinterlace
from vidrestore.types import FieldOrder, Frame, VideoInfo
from vidrestore.video.interlacing import fields
from vidrestore.video.interlacing.field_meter import FieldMeasure


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
    measure: FieldMeasure, info: VideoInfo, deinterlace: Deinterlace
) -> FieldProcessing:
    """`keep` takes the video as interlaced, `bwdif` makes it progressive; `auto` keeps what is interlaced."""
    order = measure.order(info.field_order)
    if deinterlace == "auto" and order == "progressive":
        return FieldProcessing(method="whole", order=order, output=info.field_order, measure=measure)
    if order == "progressive":
        likely: FieldOrder = "bottom" if measure.bottom > measure.top else "top"
        order = info.field_order if info.interlaced else likely
    if deinterlace == "bwdif":
        return FieldProcessing(method="bwdif", order=order, output="progressive", measure=measure)
    return FieldProcessing(method="fields", order=order, output=order, measure=measure)
