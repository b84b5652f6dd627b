"""The settings by subject, in the order of `--help` and of docs/settings.md."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "Networks": ("model", "detector", "device", "precision", "compile", "batch"),
    "Faces": (
        "strength", "fidelity", "temporal", "grain", "deflicker", "faces", "sidecar", "min_face", "aligned",
    ),
    "Input": (
        "start", "end", "handles", "fps", "deinterlace", "input_format", "pixel_format", "size", "max_pixels",
        "hwaccel", "strict",
    ),
    "Output": ("codec", "crf", "quality", "preset", "container", "upscale", "compare", "mask", "overwrite"),
    "Long videos": ("segment", "workers", "engine", "restart"),
}  # fmt: skip
"""The titles of the groups, and their settings. Each setting is in one group."""


def group_of(setting: str) -> str:
    """The title of the group of a setting.

    Raises:
        KeyError: There is no such setting.
    """
    for title, names in GROUPS.items():
        if setting in names:
            return title
    raise KeyError(setting)
