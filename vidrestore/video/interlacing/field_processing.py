"""How an interlaced video is processed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from vidrestore.settings.keywords import Deinterlace
from vidrestore.types import FieldOrder, Frame, VideoInfo
from vidrestore.video.interlacing import fields
from vidrestore.video.interlacing.field_meter import FieldMeasure


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProcessing:
    """How a video's pictures are split before processing, and merged afterwards."""

    method: Literal["whole", "fields", "bwdif"]
    order: FieldOrder
    """Field order of the input."""
    output: FieldOrder
    """Field order of the output."""
    measure: FieldMeasure
    """The counts that it was decided by."""

    def split_fields(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Frames of one moment each: two for each interlaced frame if fields are restored."""
        if self.method == "fields":
            return fields.split(frames, self.order)
        return fields.deinterlace(frames, self.order) if self.method == "bwdif" else iter(frames)

    def merge_fields(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The inverse of `split_fields`: as many frames as the input has."""
        return fields.weave(frames, self.order) if self.method == "fields" else iter(frames)


def choose_field_processing(
    measure: FieldMeasure, info: VideoInfo, deinterlace: Deinterlace
) -> FieldProcessing:
    """Chooses the processing: `keep` as interlaced, `bwdif` to progressive, `auto` by content.

    Args:
        measure: What was measured on the pictures.
        info: The video's properties.
        deinterlace: The setting.
    """
    order = measure.order(info.field_order)
    if deinterlace == "auto" and order == "progressive":
        return FieldProcessing(method="whole", order=order, output=info.field_order, measure=measure)
    if order == "progressive":
        likely: FieldOrder = "bottom" if measure.bottom > measure.top else "top"
        order = info.field_order if info.interlaced else likely
    if deinterlace == "bwdif":
        return FieldProcessing(method="bwdif", order=order, output="progressive", measure=measure)
    return FieldProcessing(method="fields", order=order, output=order, measure=measure)
