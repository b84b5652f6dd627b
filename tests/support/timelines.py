"""Timelines of OpenTimelineIO for tests."""

from __future__ import annotations

from typing import Any

import pytest

otio = pytest.importorskip(
    "opentimelineio", reason="OpenTimelineIO is an extra: pip install vidrestore[otio]"
)

RATE = 25


def time(frames: float, rate: float = RATE) -> Any:
    return otio.opentime.RationalTime(frames, rate)


def part(start: float, duration: float, rate: float = RATE) -> Any:
    return otio.opentime.TimeRange(time(start, rate), time(duration, rate))


def clip(name: str, used: Any, url: str = "", available: Any = None) -> Any:
    reference = otio.schema.ExternalReference(target_url=url or f"{name}.mkv", available_range=available)
    return otio.schema.Clip(name=name, media_reference=reference, source_range=used)


def timeline(*children: Any) -> Any:
    result = otio.schema.Timeline("cut")
    result.tracks.append(otio.schema.Track("V1", children, kind=otio.schema.TrackKind.Video))
    return result
