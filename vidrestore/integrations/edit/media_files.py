"""The media files that an edit's references name, and references to new files in the same style."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlsplit

import opentimelineio as otio

from vidrestore.integrations.edit.spans import Span, exact_rate, span

RESTORED_KEY = "vidrestore"
"""Key of a clip's reference to its restored medium."""
METADATA = "vidrestore"
"""Key of our metadata in such a reference."""
_WINDOWS = re.compile(r"^/?[A-Za-z]:[/\\]")


class UnusableMediumError(Exception):
    """Why a clip's medium cannot be restored, as a clause such as `its medium is missing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """What a clip refers to."""

    path: Path
    """A file, or a pattern such as shots/%04d.exr."""
    fps: Fraction | None
    """Frames a second of a sequence of pictures; None for a video file, which states its own rate."""
    first_number: int | None
    """Number of the picture at `available.start`; None for a file."""
    available: Span | None
    """The medium's range in the time of the clip's own range; None: not stated, it starts at 0."""


def original_reference(clip: otio.schema.Clip) -> tuple[str, otio.core.MediaReference]:
    """The key of the reference to the clip's original medium, and the reference."""
    key = clip.active_media_reference_key
    references = clip.media_references()
    if key == RESTORED_KEY:
        stated = references[key].metadata.get(METADATA, {}).get("original_key")
        key = stated if stated in references else next((k for k in references if k != RESTORED_KEY), key)
    return key, references[key]


def medium_of(reference: otio.core.MediaReference, folder: Path) -> Medium:
    """The medium of a reference; relative paths start at `folder`. Raises UnusableMediumError."""
    stated = reference.available_range
    available = None if stated is None else span(stated)
    if isinstance(reference, otio.schema.ExternalReference):
        path = path_of(reference.target_url, folder)
        return Medium(path=path, fps=None, first_number=None, available=available)
    if isinstance(reference, otio.schema.ImageSequenceReference):
        return _sequence(reference, folder, available)
    if reference.is_missing_reference:
        raise UnusableMediumError("the timeline names no medium for it")
    raise UnusableMediumError(f"its medium is a {reference.schema_name()}, not a file")


def path_of(url: str, folder: Path) -> Path:
    """The path in a reference's URL; relative ones start at `folder`. Raises UnusableMediumError."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UnusableMediumError(f"its medium is at {url}, which is not a valid address") from error
    if _WINDOWS.match(url) or not parts.scheme:
        return folder / url
    if parts.scheme != "file":
        raise UnusableMediumError(f"its medium is at {url}, which is not a local file")
    text = unquote(parts.path)
    if parts.netloc and parts.netloc != "localhost":
        text = f"//{parts.netloc}{text}"
    return Path(text[1:] if _WINDOWS.match(text) and text.startswith("/") else text)


def url_like(original: str, path: Path, folder: Path) -> str:
    """The URL of `path` in the style of `original`: a file URL, an absolute path, or relative to `folder`."""
    if urlsplit(original).scheme == "file":
        return path.as_uri()
    if Path(original).is_absolute() or not path.is_relative_to(folder):
        return str(path)
    return path.relative_to(folder).as_posix()


def _sequence(reference: otio.schema.ImageSequenceReference, folder: Path, available: Span | None) -> Medium:
    if reference.frame_step != 1:
        raise UnusableMediumError(f"its sequence takes every {reference.frame_step}th picture only")
    base = path_of(reference.target_url_base, folder)
    if "%" in reference.name_prefix + reference.name_suffix:
        raise UnusableMediumError("the name of its pictures has a percent sign")
    digits = f"%0{reference.frame_zero_padding}d" if reference.frame_zero_padding else "%d"
    return Medium(
        path=base / f"{reference.name_prefix}{digits}{reference.name_suffix}",
        fps=exact_rate(reference.rate),
        first_number=reference.start_frame,
        available=available,
    )


def origin(medium: Medium) -> Fraction:
    """The time of the medium's first frame [seconds]."""
    return Fraction(0) if medium.available is None else medium.available.start


def rate_of(clip: otio.schema.Clip, reference: otio.core.MediaReference, fallback: Fraction) -> float:
    """The rate of the times in the clip's references; `fallback` where none is stated."""
    for time_range in (reference.available_range, clip.source_range):
        if time_range is not None:
            return float(time_range.start_time.rate)
    return float(fallback)


def time_at(position: Fraction, rate: float) -> otio.opentime.RationalTime:
    """`position` [seconds] at `rate`, as a whole number of frames where it is one."""
    value = position * exact_rate(rate)
    whole = round(value)
    return otio.opentime.RationalTime(whole if abs(value - whole) < Fraction(1, 100) else float(value), rate)
