"""The task of restoring one short video in one go; a batch runs many of them in parallel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidrestore import video
from vidrestore.jobs.aligned_files import restore_aligned_files
from vidrestore.jobs.people import prepare_settings, with_people
from vidrestore.jobs.segment_choice import MIN_SEGMENTED_SECONDS
from vidrestore.pipeline import restore_video
from vidrestore.settings import Settings
from vidrestore.types import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTask:
    """A file to restore, on any machine with the same file system. Can be pickled."""

    number: int
    source: Path
    target: Path
    settings: Settings

    @property
    def name(self) -> str:
        return self.source.name

    def run(self, attempt: int) -> Iterator[Report]:
        """Yields the report. Raises a VidrestoreError."""
        if self.settings.aligned:
            yield restore_aligned_files(self.source, self.target, self.settings)
            return
        settings, people, inspected = prepare_settings(self.source, self.settings)
        if inspected is not None:
            inspected.check_unchanged()
        yield with_people(restore_video(self.source, self.target, settings), people)


def is_short(path: Path) -> bool:
    """Whether a video is too short for segments. A file that cannot be opened counts as short."""
    try:
        info = video.probe(path)
    except Exception:
        return True
    return info.duration is not None and info.duration <= MIN_SEGMENTED_SECONDS
