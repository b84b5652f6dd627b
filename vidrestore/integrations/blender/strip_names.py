"""Reads and sets the times of a strip by names that do not depend on Blender's version.

Blender 5.2 renamed the properties; Blender 6.0 removes the older names.
"""

from __future__ import annotations

from typing import Any

NAMES = {
    "left": ("left_handle", "frame_final_start"),
    "right": ("right_handle", "frame_final_end"),
    "hidden_before": ("left_handle_offset", "frame_offset_start"),
    "hidden_after": ("right_handle_offset", "frame_offset_end"),
    "content_start": ("content_start", "frame_start"),
    "content_frames": ("content_duration", "frame_duration"),
    "trimmed_before": ("content_trim_start", "animation_offset_start"),
    "trimmed_after": ("content_trim_end", "animation_offset_end"),
}
"""Our name: Blender's newer and older name. Positions and lengths in the timeline are in frames of the
timeline;
the length of the content and the trimmed parts are in frames of the file."""


def get(strip: Any, name: str) -> Any:
    """A time of a strip, by our name."""
    return getattr(strip, _name(strip, name))


def put(strip: Any, name: str, value: float) -> None:
    """Sets a time of a strip, by our name."""
    setattr(strip, _name(strip, name), value)


def _name(strip: Any, name: str) -> str:
    newer, older = NAMES[name]
    return newer if hasattr(strip, newer) else older
