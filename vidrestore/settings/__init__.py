"""All settings of a run: their names, types, limits and help, and the files that they are read from."""

from vidrestore.settings.model import (
    LONGEST_SECONDS,
    MAX_PIXELS,
    Fidelity,
    Settings,
    TimeRange,
    make_settings,
)
from vidrestore.settings.sidecar import DEFAULT_MIN_FACE, Grain

__all__ = [
    "DEFAULT_MIN_FACE",
    "LONGEST_SECONDS",
    "MAX_PIXELS",
    "Fidelity",
    "Grain",
    "Settings",
    "TimeRange",
    "make_settings",
]
