"""Whether an output may be written where it is asked for, told before any work."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import av
from av.format import ContainerFormat, formats_available

from vidrestore.errors import OutputError


def check_paths(input: Path, output: Path, overwrite: bool) -> None:
    """Raises OutputError where writing `output` would fail or destroy something."""
    if output.is_dir():
        raise OutputError(f"the output {output} is a folder; give a file name in it, such as restored.mp4")
    if not output.parent.is_dir():
        raise OutputError(f"the folder {output.parent} does not exist; create it or choose another")
    if output.exists() and input.exists() and output.samefile(input):
        raise OutputError(f"the output {output} is the input itself; choose another name")
    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists already; choose another name or add --overwrite")
    if not output.suffix:
        raise OutputError(f"the name {output.name} does not say its kind; let it end in .mp4, .mkv or .mov")
    if output.suffix.lower().removeprefix(".") not in _video_extensions():
        raise OutputError(
            f"{output.suffix} is not a kind of video known here; let the name end in .mp4, .mkv or .mov"
        )


@cache
def _video_extensions() -> frozenset[str]:
    """Extensions of the containers that hold moving pictures."""
    extensions: set[str] = set()
    for name in formats_available:
        try:
            kind = ContainerFormat(name, "w")
        except ValueError:
            continue
        if kind.is_output and kind.extensions and not kind.no_file and _holds_video(name):
            extensions |= kind.extensions
    return frozenset(extensions)


def _holds_video(format_name: str) -> bool:
    try:
        container = av.open(io.BytesIO(), "w", format=format_name)
    except (ValueError, av.FFmpegError):
        return False
    codec = container.default_video_codec
    container.close()
    return codec not in ("none", "unknown")
