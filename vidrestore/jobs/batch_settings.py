"""The settings of one file of a batch: those that apply to its kind."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from vidrestore.errors import UsageError
from vidrestore.settings import Settings
from vidrestore.video.formats.suffixes import PHOTO_KINDS, PICTURES

_OF_VIDEOS: dict[str, Any] = {
    "codec": "match",
    "crf": None,
    "preset": None,
    "container": None,
    "segment": None,
}
_LOSSLESS = {"png", "tiff"}


def check_batch_settings(settings: Settings) -> None:
    """Raises UsageError for settings that name a single file."""
    if settings.mask is not None:
        raise UsageError(f"mask ({settings.mask}) names one file, and a batch has many; leave it out")


def chosen_settings(settings: Settings) -> dict[str, Any]:
    """The settings that differ from their defaults and change the result, as values for JSON."""
    values = settings.model_dump(exclude_defaults=True, exclude={"overwrite", "restart"})
    return {name: str(value) if isinstance(value, Fraction) else value for name, value in values.items()}


def settings_for(source: Path, settings: Settings) -> Settings:
    """For a picture, without the settings of videos; for a video, without the settings of pictures."""
    suffix = source.suffix.lower()
    if suffix not in PICTURES:
        return settings.model_copy(update={"quality": None})
    has_quality = suffix in PHOTO_KINDS and PHOTO_KINDS[suffix] not in _LOSSLESS
    return settings.model_copy(update={**_OF_VIDEOS, "quality": settings.quality if has_quality else None})
