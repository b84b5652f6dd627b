"""The writer that an output needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidrestore.errors import UsageError
from vidrestore.types import VideoInfo
from vidrestore.video.exr.writer import ExrWriter
from vidrestore.video.formats.containers import IMAGES, choose_container
from vidrestore.video.formats.image_sequence import is_pattern
from vidrestore.video.reading.input import Input
from vidrestore.video.writing.atomic_output import single_picture_message
from vidrestore.video.writing.codec_choice import MATCH
from vidrestore.video.writing.writer import VideoWriter


def make_writer(
    output: Path, info: VideoInfo, *, source: Input, container: str | None = None, **how: Any
) -> VideoWriter | ExrWriter:
    """The writer of `output`; `how` is what `VideoWriter` takes. Raises OutputError, UsageError."""
    muxer = choose_container(output, container)
    if muxer == IMAGES and not is_pattern(output) and info.is_counted and (info.frame_count or 0) > 1:
        raise UsageError(single_picture_message(output, info.path))
    if muxer != IMAGES and not source.has_frame_rate:
        raise UsageError(
            f"{info.path} does not say how many pictures are shown a second; add --fps, such as 24"
        )
    if output.suffix.lower() != ".exr":
        return VideoWriter(output, info, source=source, container=container, **how)
    if how["codec"] not in (MATCH, "exr"):
        raise UsageError("pictures in .exr are encoded by exr; leave --codec out")
    for name in ("crf", "preset"):
        if how.get(name) is not None:
            raise UsageError(f"pictures in .exr have no {name}; leave --{name} out")
    first = source.first_number(info.frame_rate, how.get("start"))
    return ExrWriter(output, info, source=source, overwrite=how.get("overwrite", False), first=first)
