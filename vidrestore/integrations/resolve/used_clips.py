"""Finds the files that the clips of a timeline show, and the frames of each.

After Blackmagic's scripting README. Two things are not stated there, and cannot be tested without Resolve:
that the frame numbers of a take count from the clip property `Start`, and whether a range includes its last
frame. So one frame more than needed is restored.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

SCOPES = ("selected clips", "clip at the playhead", "all video tracks")


class UsedClip(NamedTuple):
    """A clip of the timeline, and the frames of its file that it shows."""

    item: Any
    """Resolve's TimelineItem."""
    path: Path
    first: int
    """First frame that is shown, counted from 0 at the file's beginning."""
    last: int
    rate: Fraction
    """Frames a second of the file."""


class Found(NamedTuple):
    """The clips to restore, and those that cannot be."""

    clips: list[UsedClip]
    skipped: list[str]
    """One sentence for each clip that cannot be restored."""


def find_used_clips(timeline: Any, scope: str, restored: set[str]) -> Found:
    """The clips to restore.

    Args:
        timeline: Resolve's Timeline.
        scope: One of `SCOPES`.
        restored: Paths of results of earlier runs. A take that shows one of them is not an original.
    """
    found = Found([], [])
    timeline_rate = exact_rate(timeline.GetSetting("timelineFrameRate"))
    for item in _items(timeline, scope):
        clip = _used_clip(item, timeline_rate, restored)
        if isinstance(clip, str):
            found.skipped.append(f"{item.GetName()}: {clip}")
        else:
            found.clips.append(clip)
    return found


def exact_rate(value: Any) -> Fraction | None:
    """The exact rate of a rounded one, such as 24000/1001 for 23.976; None where it is not a rate."""
    try:
        rate = Fraction(str(value).split()[0])
    except (ValueError, IndexError, ZeroDivisionError):
        return None
    broadcast = Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)
    if rate.denominator > 1 and abs(rate - broadcast) < Fraction(1, 100):
        return broadcast
    return rate if rate > 0 else None


def _items(timeline: Any, scope: str) -> list[Any]:
    if scope == "all video tracks":
        tracks = range(1, int(timeline.GetTrackCount("video")) + 1)
        return [item for track in tracks for item in timeline.GetItemListInTrack("video", track) or []]
    selected = _call(timeline, "GetSelectedClips") if scope == "selected clips" else None
    if selected:
        return [item for item in selected if (_call(item, "GetTrackTypeAndIndex") or ["video"])[0] == "video"]
    item = timeline.GetCurrentVideoItem()
    return [] if item is None else [item]


def _used_clip(item: Any, timeline_rate: Fraction | None, restored: set[str]) -> UsedClip | str:
    """The clip, or why it cannot be restored."""
    take = _original_take(item, restored)
    medium = item.GetMediaPoolItem() if take is None else take.get("mediaPoolItem")
    text = "" if medium is None else str(medium.GetClipProperty("File Path") or "")
    rate = None if medium is None else exact_rate(medium.GetClipProperty("FPS"))
    if not text:
        return "no file of its own (a title, generator, compound or multicam clip)"
    path = Path(text)
    if path.name.endswith("]" + path.suffix) or "%" in path.name:
        return "an image sequence; restore it with vidrestore restore NAME.%04d.exr …"
    if not path.is_file():
        return f"{path} is not there"
    if rate is None:
        return f"the frame rate of {path} is not known"
    first, last = _frames(item, rate, timeline_rate) if take is None else _frames_of_take(take, medium)
    return UsedClip(item, path, max(first, 0), max(last, first, 0), rate)


def _original_take(item: Any, restored: set[str]) -> dict[str, Any] | None:
    """The first take of a clip that is not a result; None where there is no such take."""
    for number in range(1, int(_call(item, "GetTakesCount") or 0) + 1):
        take = item.GetTakeByIndex(number)
        if take and take["mediaPoolItem"].GetClipProperty("File Path") not in restored:
            return dict(take)
    return None


def _frames_of_take(take: dict[str, Any], medium: Any) -> tuple[int, int]:
    start = int(medium.GetClipProperty("Start") or 0)
    return int(take["startFrame"]) - start, int(take["endFrame"]) - start


def _frames(item: Any, rate: Fraction, timeline_rate: Fraction | None) -> tuple[int, int]:
    """First and last frame of the file that a clip without takes shows.

    Where the rates differ, `GetSourceStartFrame` is sometimes a frame early, and offsets are in frames of the
    timeline.
    """
    first, last = _call(item, "GetSourceStartFrame"), _call(item, "GetSourceEndFrame")
    scale = rate / timeline_rate if timeline_rate else Fraction(1)
    length = round(int(item.GetDuration()) * scale) - 1
    if first is not None and last is not None:
        length = int(last) - int(first)
    if first is None or scale != 1:
        first = round(int(item.GetLeftOffset()) * scale)
    return int(first), int(first) + length


def _call(target: Any, name: str) -> Any:
    """The result of a method that older versions of Resolve lack; None there."""
    method = getattr(target, name, None)
    return method() if callable(method) else None
