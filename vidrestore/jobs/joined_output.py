"""The joined output of a run that was killed before it could move it to its place."""

from __future__ import annotations

import json
from pathlib import Path

from vidrestore import video
from vidrestore.errors import VidrestoreError
from vidrestore.jobs.fingerprint import (
    check_same_job,
    fingerprint,
    recorded_run_settings,
    with_absolute_paths,
)
from vidrestore.jobs.journal import Journal, is_journal, journal_path
from vidrestore.jobs.parts_folder import PartsFolder
from vidrestore.report import report_from_dict
from vidrestore.runtime.file_kinds import absolute, is_own_kind
from vidrestore.runtime.marked_folder import is_marked
from vidrestore.settings import Settings
from vidrestore.types import Report


def recover_joined_output(source: Path, target: Path, settings: Settings) -> Report | None:
    """Completes a run that was killed after joining its output: moves the output to its place.

    Args:
        source: The input.
        target: The output.
        settings: The settings, which must be those of that run.

    Returns:
        The report of that run; None: there is no such run, or it was not strict and this one is.
    """
    target = absolute(target)
    path = journal_path(target)
    if settings.restart or not is_journal(path):
        return None
    parts = PartsFolder(target)
    with Journal(path, target) as journal:
        about = journal.about()
        if "joined" not in about or not _is_same_job(about, absolute(source), settings):
            return None
        if settings.strict and not recorded_run_settings(about).get("strict"):
            return None
        state = json.loads(about["joined"])
        if is_marked(parts.path) and _is_file(parts.joined, state):
            video.place_output(parts.joined, target, overwrite=settings.overwrite)
        elif not _is_file(target, state):  # that run had not moved it to its place
            return None
        parts.remove()
        journal.remove()
        return report_from_dict(json.loads(about["report"]), target)


def _is_file(path: Path, state: list[int]) -> bool:
    return is_own_kind(path, "file") and file_state(path) == state


def file_state(file: Path) -> list[int]:
    """Size and modification time of a file, to recognise it."""
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _is_same_job(about: dict[str, str], source: Path, settings: Settings) -> bool:
    try:
        check_same_job(about, fingerprint(source, with_absolute_paths(settings)), source)
    except VidrestoreError:
        return False
    return True
