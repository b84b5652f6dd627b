"""Warnings about a finished run, and messages for a run that has no result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.errors import UsageError
from vidrestore.report import ChangeKind, RunStats
from vidrestore.settings import Settings
from vidrestore.types import VideoInfo

if TYPE_CHECKING:
    from vidrestore.video import FieldProcessing


def run_warnings(
    info: VideoInfo, field_processing: FieldProcessing, settings: Settings, stats: RunStats
) -> list[str]:
    """Warnings about a finished run, one sentence each.

    Args:
        info: The input.
        field_processing: How fields of interlaced video were processed.
        settings: The settings of the run.
        stats: Its counts.
    """
    warnings = [*info.notes]
    if field_processing.method == "fields" and not info.interlaced:
        warnings.append(
            f"{info.path.name} is interlaced, although its metadata does not say so: each field was restored "
            "separately; --deinterlace bwdif makes it progressive"
        )
    warnings += change_warnings(info, stats)
    if absent := _absent_tracks(settings, stats):
        warnings.append(_absent_message(absent, info))
    return warnings


def change_warnings(info: VideoInfo, stats: RunStats) -> list[str]:
    """A sentence for each property of the pictures that changes in the middle of the video.

    Args:
        info: The input.
        stats: The counts of the run.
    """
    consequences: dict[ChangeKind, str] = {
        "shape": "its size or pixel aspect after {} s: such pictures were fitted into the size of the first, "
        "with black borders",
        "format": "its depth, its chroma or its kind of samples after {} s: such pictures were converted to "
        f"the first one's, {info.pixel_format.name}",
        "colour": "its colour tags after {} s: the output states those of the first picture for all",
    }
    return [
        f"{info.path.name} changes "
        + text.format(f"{stats.first_changes[kind] - float(stats.first_seconds or 0):.1f}")
        for kind, text in consequences.items()
        if kind in stats.first_changes
    ]


def check_tracks_found(info: VideoInfo, settings: Settings, stats: RunStats) -> None:
    """Checks that at least one of the tracks that the user named was found.

    Args:
        info: The input.
        settings: The settings of the run.
        stats: Its counts.

    Raises:
        UsageError: Tracks are named, and the video has none of them.
    """
    absent = _absent_tracks(settings, stats)
    if absent and not stats.tracks:
        raise UsageError(_absent_message(absent, info))


def _absent_tracks(settings: Settings, stats: RunStats) -> list[int]:
    """The numbers of tracks that the user named and that were not found."""
    from vidrestore.tracking import EXCEPT, named_tracks

    if settings.faces.startswith(EXCEPT):
        return []
    return sorted(named_tracks(settings.faces) - stats.tracks)


def _absent_message(absent: list[int], info: VideoInfo) -> str:
    numbers = ", ".join(map(str, absent))
    return f"no face has the number {numbers} in {info.path.name}; vidrestore inspect lists them"


def no_frames_decoded_message(source: Path, settings: Settings) -> str:
    """The error message for an input without any decoded frame."""
    if settings.start is not None:
        return f"{source} has no frames after {settings.start:g} s; choose an earlier --start"
    return f"no frame of {source} could be decoded: the file is damaged or cut short"
