"""A video to restore in segments: its input, settings, output and folder of parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidrestore import video
from vidrestore.jobs.parts_folder import PartsFolder
from vidrestore.pipeline import output_info
from vidrestore.settings import Settings
from vidrestore.types import VideoInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentedJob:
    """A video to restore in segments. Paths are absolute, because workers may run in another folder."""

    opened: video.OpenedVideo
    settings: Settings
    output: Path
    muxer: str
    """FFmpeg's name of the output's container."""
    parts: PartsFolder
    """The folder of finished segments."""
    size: tuple[int, int]
    """Coded width and height of the output."""
    seconds: float
    """Length of a segment."""

    @property
    def video_input(self) -> video.Input:
        return self.opened.input

    @property
    def info(self) -> VideoInfo:
        return self.opened.info

    @property
    def field_processing(self) -> video.FieldProcessing:
        return self.opened.field_processing

    def writer(self, path: Path) -> video.VideoWriter:
        """A writer of the joined output to `path`."""
        settings = self.settings
        writer = video.make_writer(
            path,
            output_info(self.opened, settings),
            source=self.opened.input,
            side_data=self.opened.side_data,
            muxer=self.muxer,
            width=self.size[0],
            height=self.size[1],
            **settings.time_range(self.info.frame_rate),
            overwrite=settings.overwrite or path != self.output,
            **settings.encoding_options(),
        )
        assert isinstance(writer, video.VideoWriter)
        return writer
