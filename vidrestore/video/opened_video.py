"""A video that was looked at once, and what is known of it: made here, handed to all who work on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidrestore.settings_keywords import Deinterlace
from vidrestore.types import VideoInfo
from vidrestore.video.interlacing.field_processing import FieldProcessing, choose_field_processing
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.opening import open_input
from vidrestore.video.reading.side_data import SideData


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedVideo:
    """What is known of a video before any of its frames is worked on. Can be pickled, unless it is a pipe."""

    input: Input
    info: VideoInfo
    field_processing: FieldProcessing
    side_data: SideData

    @property
    def output_info(self) -> VideoInfo:
        """`info` with the order of fields that the output has."""
        return replace(self.info, field_order=self.field_processing.output)

    def at(self, path: Path) -> OpenedVideo:
        """The same video under another name of its file."""
        return replace(self, input=replace(self.input, path=path), info=replace(self.info, path=path))


def open_video(
    path: Path,
    *,
    deinterlace: Deinterlace = "auto",
    on_info: Callable[[VideoInfo], None] | None = None,
    **how: Any,
) -> OpenedVideo:
    """Looks at the video that `path` means.

    Args:
        path: A file, `-` for standard input, shots/%05d.png for a sequence.
        deinterlace: As the setting. A pipe's pictures are not looked into: its flags decide.
        on_info: Called as soon as it is known what the video is, before its fields are measured.
        how: What `Settings.input_options` says of how it is read.

    Raises:
        InputError: It is no video, or none that can be read.
        UsageError: `how` does not fit it.
    """
    input = open_input(path, **how)
    look = look_at(input, measures_fields=True, on_info=on_info)
    return OpenedVideo(
        input=input,
        info=look.info,
        field_processing=choose_field_processing(look.fields, look.info, deinterlace),
        side_data=look.side_data,
    )
