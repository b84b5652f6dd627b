"""Whether a film is restored in segments, and why it is not where they were asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidrestore.pipeline import expected_frames
from vidrestore.settings import Settings
from vidrestore.types import Report, VideoInfo

DEFAULT_SEGMENT_SECONDS = 60.0
MIN_SEGMENTED_SECONDS = 300.0
"""Videos longer than this are cut into segments without being asked."""


def segment_seconds(info: VideoInfo, settings: Settings) -> float | None:
    """How long segments are, where the settings or the video's length ask for some; None: they do not."""
    if not wants_segments(info, settings):
        return None
    return segment_length(settings)


def segment_length(settings: Settings) -> float:
    """Seconds, of a film that is restored in segments."""
    return settings.segment or DEFAULT_SEGMENT_SECONDS


def wants_segments(info: VideoInfo, settings: Settings) -> bool:
    """Whether the settings or the video's length ask for segments."""
    if settings.mask is not None:
        return False
    if settings.segment is not None:
        return settings.segment > 0
    if (settings.workers or 1) > 1 or settings.engine != "local":
        return True
    seconds = expected_frames(info, settings)
    return seconds is not None and seconds / info.frame_rate > MIN_SEGMENTED_SECONDS


def with_reason(report: Report, source: Path, settings: Settings, why: str | None) -> Report:
    """The report, saying why there were no segments if they were asked for."""
    if why is None or not (settings.segment or (settings.workers or 1) > 1 or settings.engine != "local"):
        return report
    return replace(
        report, warnings=(*report.warnings, f"{source.name} was restored in one go, not in segments: {why}")
    )
