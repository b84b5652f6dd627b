"""Decides whether a video is restored in segments, and explains if a request cannot be met."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidrestore.pipeline import expected_frames
from vidrestore.settings import Settings
from vidrestore.types import Report, VideoInfo

DEFAULT_SEGMENT_SECONDS = 60.0
MIN_SEGMENTED_SECONDS = 300.0
"""Videos longer than this are restored in segments by default."""


def segment_seconds(info: VideoInfo, settings: Settings) -> float | None:
    """Length of a segment [s]; None: neither the settings nor the video's length require segments."""
    if not wants_segments(info, settings):
        return None
    return segment_length(settings)


def segment_length(settings: Settings) -> float:
    """Length of a segment [s] of a video that is restored in segments."""
    return settings.segment or DEFAULT_SEGMENT_SECONDS


def wants_segments(info: VideoInfo, settings: Settings) -> bool:
    """Whether the settings or the video's length require segments."""
    if settings.mask is not None:
        return False
    if settings.segment is not None:
        return settings.segment > 0
    if (settings.workers or 1) > 1 or settings.engine != "local":
        return True
    frames = expected_frames(info, settings)
    return frames is not None and frames / info.frame_rate > MIN_SEGMENTED_SECONDS


def with_reason(report: Report, source: Path, settings: Settings, why: str | None) -> Report:
    """The report, with a warning that explains why requested segments were not used.

    Args:
        report: The report of the run.
        source: The input.
        settings: The settings of the run.
        why: Why the video was not restored in segments; None: nothing to explain.
    """
    if why is None or not (settings.segment or (settings.workers or 1) > 1 or settings.engine != "local"):
        return report
    return replace(
        report, warnings=(*report.warnings, f"{source.name} was restored in one go, not in segments: {why}")
    )
