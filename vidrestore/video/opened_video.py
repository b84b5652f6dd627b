"""An input and its properties, found out in one opening and passed to every part that needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidrestore.settings.keywords import Deinterlace
from vidrestore.types import VideoInfo
from vidrestore.video.interlacing.field_processing import FieldProcessing, choose_field_processing
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.opening import open_input
from vidrestore.video.reading.side_data import SideData


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedVideo:
    """A video and everything known about it before processing. Can be pickled, unless it is a pipe."""

    input: Input
    info: VideoInfo
    field_processing: FieldProcessing
    side_data: SideData

    @property
    def output_info(self) -> VideoInfo:
        """`info` with the output's field order."""
        return replace(self.info, field_order=self.field_processing.output)

    def at(self, path: Path) -> OpenedVideo:
        """The same video with another path to its file."""
        return replace(self, input=replace(self.input, path=path), info=replace(self.info, path=path))


def open_video(
    path: Path,
    *,
    deinterlace: Deinterlace = "auto",
    on_info: Callable[[VideoInfo], None] | None = None,
    **how: Any,
) -> OpenedVideo:
    """The video at `path`, examined in one opening.

    Args:
        path: A file, `-` for standard input, shots/%05d.png for a sequence.
        deinterlace: As the setting. For a pipe, flags decide, because its pictures cannot be examined.
        on_info: Called as soon as the video's properties are known, before its fields are measured.
        how: How it is read: `Settings.input_options`.

    Raises:
        InputError: It is not a video that can be read.
        UsageError: `how` does not fit the input.
    """
    input = open_input(path, **how)
    look = look_at(input, measures_fields=True, on_info=on_info)
    return OpenedVideo(
        input=input,
        info=look.info,
        field_processing=choose_field_processing(look.fields, look.info, deinterlace),
        side_data=look.side_data,
    )
