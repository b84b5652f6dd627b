"""The settings by subject: the order of the help and of the page of settings."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "Networks": ("model", "detector", "device", "precision", "batch"),
    "Faces": (
        "strength", "fidelity", "temporal", "grain", "deflicker", "faces", "sidecar", "min_face", "aligned",
    ),
    "Input": (
        "start", "end", "handles", "fps", "deinterlace", "input_format", "pixel_format", "size", "max_pixels",
        "strict",
    ),
    "Output": ("codec", "crf", "quality", "preset", "container", "compare", "mask", "overwrite"),
    "Long videos": ("segment", "workers", "engine", "restart"),
}  # fmt: skip
"""Every setting is in one of them."""


def group_of(setting: str) -> str:
    """The subject of a setting. Raises KeyError where there is no such setting."""
    for title, names in GROUPS.items():
        if setting in names:
            return title
    raise KeyError(setting)
