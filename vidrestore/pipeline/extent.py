"""The size and the length of the output."""

from __future__ import annotations

from vidrestore.settings import Settings
from vidrestore.types import VideoInfo


def output_size(info: VideoInfo, settings: Settings) -> tuple[int, int]:
    """Coded width and height of the output; a side-by-side comparison is twice as wide when displayed."""
    from vidrestore.faces.orientation import display_axis

    if settings.compare != "side-by-side":
        return info.width, info.height
    axis, _ = display_axis(info.orientation)
    return (info.width * 2, info.height) if axis else (info.width, info.height * 2)


def expected_frames(info: VideoInfo, settings: Settings) -> int | None:
    """Number of frames between `start` and `end`, as far as the container states it; None: unknown."""
    if settings.start is None and settings.end is None:
        return info.frame_count
    if info.duration is None and settings.end is None:
        return None
    wanted = settings.time_range(info.frame_rate)
    ends = [end for end in (info.duration, wanted["end"]) if end is not None]
    return max(round((float(min(ends)) - (wanted["start"] or 0.0)) * float(info.frame_rate)), 0)
