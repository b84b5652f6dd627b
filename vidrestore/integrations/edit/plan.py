"""Plans which frames of which media are restored for an edit: each used frame of a medium once."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from vidrestore.errors import VidrestoreError
from vidrestore.integrations.edit.media_files import (
    Medium,
    UnusableMediumError,
    medium_of,
    origin,
    original_reference,
)
from vidrestore.integrations.edit.spans import Span
from vidrestore.integrations.edit.used_clips import UsedClip

_ROUNDING = Fraction(1, 100)
"""A range's end within this distance of a frame's edge is taken as that edge [frames]."""
_HASH_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A medium that was opened."""

    path: Path
    rate: Fraction
    frames: int | None
    """None: the file does not state it."""
    first_number: int | None
    """Number of the first picture of a sequence; None for a file."""

    @property
    def is_still(self) -> bool:
        return self.frames == 1


@dataclass(slots=True, kw_only=True)
class EditPart:
    """Frames of a medium that are restored into one file, and the clips that show some of them."""

    source: SourceFile
    fps: Fraction | None
    first: int
    """Number of the part's first frame in the file, from 0."""
    end: int | None
    """Number of the frame after its last one; None: the end of the file."""
    clips: list[tuple[otio.schema.Clip, Medium]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole medium."""
        return self.first == 0 and (self.end is None or self.end == self.source.frames)

    @property
    def start_seconds(self) -> Fraction:
        return self.first / self.source.rate

    @property
    def end_seconds(self) -> Fraction | None:
        return None if self.end is None else self.end / self.source.rate

    def name(self, suffix: str | None) -> str:
        """The file's name: the medium's name with frame numbers, such as tape_120-480.mov."""
        stem, own_suffix = self.source.path.stem, self.source.path.suffix
        if self.source.first_number is not None:
            stem = stem.partition("%")[0].rstrip("._- ") or "pictures"
            own_suffix = ""
        numbers = "" if self.is_whole else f"_{self.first}-{'' if self.end is None else self.end - 1}"
        return f"{stem}{numbers}{own_suffix if suffix is None else suffix}"


@dataclass(slots=True, kw_only=True)
class EditPlan:
    """Parts to restore, by file name, and what cannot be restored."""

    parts: dict[str, EditPart]
    skipped: dict[str, str]
    """The reason, by the name of the clip or medium."""


def make_plan(clips: Iterable[UsedClip], folder: Path, *, handles: int, container: str | None) -> EditPlan:
    """The parts of media to restore for the clips of an edit.

    Args:
        clips: The clips that the edit shows.
        folder: The timeline's folder, where relative paths start.
        handles: Frames before and after each used range that are restored too.
        container: Container of the restored files; None: that of the medium's suffix.
    """
    skipped: dict[str, str] = {}
    files: dict[Path, SourceFile] = {}
    found: dict[Path, list[EditPart]] = defaultdict(list)
    for used in clips:
        _, reference = original_reference(used.clip)
        try:
            medium = medium_of(reference, folder)
        except (UnusableMediumError, VidrestoreError) as error:
            skipped[used.clip.name or "a clip without a name"] = str(error)
            continue
        try:
            source = files.get(medium.path) or _open(medium)
            files[medium.path] = source
            part = _part(source, medium, used.span, handles)
        except (UnusableMediumError, VidrestoreError) as error:
            skipped[str(medium.path)] = str(error)
            continue
        part.clips.append((used.clip, medium))
        found[medium.path].append(part)
    parts = [part for path in sorted(found) for part in _joined(found[path])]
    return EditPlan(parts=_named(parts, container), skipped=skipped)


def _open(medium: Medium) -> SourceFile:
    from vidrestore import video

    opened = video.open_input(medium.path, fps=medium.fps)
    info = video.probe(opened)
    pictures = opened.pictures
    return SourceFile(
        path=medium.path,
        rate=info.frame_rate,
        frames=info.frame_count if pictures is None else len(pictures),
        first_number=None if pictures is None else pictures[0],
    )


def _part(source: SourceFile, medium: Medium, used: Span | None, handles: int) -> EditPart:
    """The frames that a clip shows, with handles."""
    if used is None or source.is_still:
        return EditPart(source=source, fps=medium.fps, first=0, end=source.frames)
    offset = 0
    if medium.first_number is not None and source.first_number is not None:
        offset = medium.first_number - source.first_number
    in_file = used.shift(-origin(medium))
    first = math.floor(in_file.start * source.rate + _ROUNDING) + offset - handles
    end = math.ceil(in_file.end * source.rate - _ROUNDING) + offset + handles
    if end <= 0 or (source.frames is not None and first >= source.frames):
        raise UnusableMediumError(
            f"the edit uses frames {first + handles} to {end - handles - 1} of it, which it does not have; "
            "the timeline does not state the medium's start time, or names another version of the file"
        )
    last = end if source.frames is None else min(end, source.frames)
    return EditPart(source=source, fps=medium.fps, first=max(first, 0), end=last)


def _joined(parts: Iterable[EditPart]) -> list[EditPart]:
    """Parts of one medium that overlap or touch are one part."""
    joined: list[EditPart] = []
    for part in sorted(parts, key=lambda part: part.first):
        last = joined[-1] if joined else None
        if last is not None and (last.end is None or part.first <= last.end):
            last.end = None if last.end is None or part.end is None else max(last.end, part.end)
            last.clips += part.clips
        else:
            joined.append(part)
    return joined


def _named(parts: list[EditPart], container: str | None) -> dict[str, EditPart]:
    """The parts by file name; media with the same name get a hash of their path in the name."""
    suffix = None if container is None else f".{container}"

    def name(part: EditPart) -> str:
        is_sequence = part.source.first_number is not None
        return part.name(None if is_sequence or part.source.is_still else suffix)

    counts = Counter(name(part).casefold() for part in parts)
    named = {}
    for part in parts:
        plain = name(part)
        if counts[plain.casefold()] > 1:
            digits = hashlib.sha256(str(part.source.path).encode()).hexdigest()[:_HASH_DIGITS]
            plain = f"{Path(plain).stem}~{digits}{Path(plain).suffix}"
        named[plain] = part
    return named
