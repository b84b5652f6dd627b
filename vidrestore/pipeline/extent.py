"""The size, the properties and the length of the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidrestore.errors import UsageError
from vidrestore.settings import Settings
from vidrestore.types import VideoInfo

if TYPE_CHECKING:
    from vidrestore.video import OpenedVideo


def output_size(info: VideoInfo, settings: Settings) -> tuple[int, int]:
    """Coded width and height of the output; a side-by-side comparison is twice as wide when displayed."""
    from vidrestore.faces.orientation import display_axis

    width, height = info.width * settings.upscale, info.height * settings.upscale
    if settings.compare != "side-by-side":
        return width, height
    axis, _ = display_axis(info.orientation)
    return (width * 2, height) if axis else (width, height * 2)


def output_info(opened: OpenedVideo, settings: Settings) -> VideoInfo:
    """The properties of a video of the output's frames, which is what its writer is for.

    Args:
        opened: The input.
        settings: All settings.
    """
    from vidrestore.colour.upscale import upscaled_info

    return upscaled_info(opened.output_info, settings.upscale)


def check_upscale(opened: OpenedVideo, settings: Settings) -> None:
    """Raises UsageError where the input cannot be enlarged.

    Args:
        opened: The input.
        settings: All settings.
    """
    if settings.upscale == 1:
        return
    if opened.input.is_exr:
        raise UsageError(
            f"{opened.info.path} is an OpenEXR picture, whose floats are not enlarged here: leave out upscale"
        )
    width, height = output_size(opened.info, settings)
    if width * height > settings.max_pixels:
        raise UsageError(
            f"the output would be {width} x {height} pixels, more than the limit of {settings.max_pixels}; "
            "if there is memory for it, raise --max-pixels, or leave out upscale"
        )


def expected_frames(info: VideoInfo, settings: Settings) -> int | None:
    """Number of frames between `start` and `end`, as far as the container states it; None: unknown."""
    if settings.start is None and settings.end is None:
        return info.frame_count
    if info.duration is None and settings.end is None:
        return None
    wanted = settings.time_range(info.frame_rate)
    ends = [end for end in (info.duration, wanted["end"]) if end is not None]
    return max(round((float(min(ends)) - (wanted["start"] or 0.0)) * float(info.frame_rate)), 0)
