"""What the user may not expect of a run: warnings of one that is done, and why there is nothing to write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.errors import UsageError
from vidrestore.report import RunStats
from vidrestore.settings import Settings
from vidrestore.types import VideoInfo

if TYPE_CHECKING:
    from vidrestore.video import FieldProcessing


def run_warnings(
    info: VideoInfo, field_processing: FieldProcessing, settings: Settings, stats: RunStats
) -> list[str]:
    """A sentence each for what the user may not expect of a run that is done."""
    warnings = [*info.notes]
    if field_processing.method == "fields" and not info.interlaced:
        warnings.append(
            f"{info.path.name} is interlaced without saying so: each field was restored by itself; "
            "--deinterlace bwdif makes it progressive"
        )
    if stats.first_fitted is not None:
        seconds = stats.first_fitted - float(stats.first or 0)
        warnings.append(
            f"{info.path.name} changes its size or pixel aspect after {seconds:.1f} s: such pictures were "
            "fitted into the size of the first, with black beside them"
        )
    if absent := _absent_tracks(settings, stats):
        warnings.append(_absent_message(absent, info))
    return warnings


def check_tracks_found(info: VideoInfo, settings: Settings, stats: RunStats) -> None:
    """Raises UsageError where tracks are asked for by their ids, and the video has none of them."""
    absent = _absent_tracks(settings, stats)
    if absent and not stats.tracks:
        raise UsageError(_absent_message(absent, info))


def _absent_tracks(settings: Settings, stats: RunStats) -> list[int]:
    """Those that are asked for and were not found: the others are not counted."""
    from vidrestore.tracking import EXCEPT, named_tracks

    if settings.faces.startswith(EXCEPT):
        return []
    return sorted(named_tracks(settings.faces) - stats.tracks)


def _absent_message(absent: list[int], info: VideoInfo) -> str:
    numbers = ", ".join(map(str, absent))
    return f"no face has the number {numbers} in {info.path.name}; vidrestore inspect lists them"


def no_frames_decoded_message(source: Path, settings: Settings) -> str:
    """Why there is nothing to restore."""
    if settings.start is not None:
        return f"{source} has no frames after {settings.start:g} s; choose an earlier --start"
    return f"no frame of {source} could be decoded: the file is damaged or cut short"
