"""A short video restored in one go by a worker: of a folder of them, many at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidrestore import video
from vidrestore.jobs.people import settle, with_people
from vidrestore.jobs.segment_choice import MIN_SEGMENTED_SECONDS
from vidrestore.pipeline import restore_video
from vidrestore.settings import Settings
from vidrestore.types import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """All it takes to restore a file, on any machine that sees the same files. Can be pickled."""

    number: int
    source: Path
    target: Path
    settings: Settings

    @property
    def name(self) -> str:
        return self.source.name

    def run(self, attempt: int) -> Iterator[Report]:
        """Yields the report. Raises a VidrestoreError."""
        settings, people = settle(self.source, self.settings)
        yield with_people(restore_video(self.source, self.target, settings), people)


def is_short(path: Path) -> bool:
    """Whether a video is not worth segments. What cannot be opened counts as short: its task will say why."""
    try:
        info = video.probe(path)
    except Exception:
        return True
    return info.duration is not None and info.duration <= MIN_SEGMENTED_SECONDS
