"""Wording that commands share: numbers with nouns, and a video in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vidrestore.inspection import FaceTrack, Inspection
    from vidrestore.types import DrawnShare

_NAMED = 12
"""Maximum number of tracks that are named in a line."""


def count(number: int, noun: str) -> str:
    """`no scenes`, `1 scene`, `2 scenes`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def drawn_tracks(shares: Iterable[DrawnShare]) -> str:
    """Tracks whose detail is mostly drawn, such as `more than half of tracks 0, 3 drawn`; "" for none."""
    from vidrestore.report import mostly_drawn

    numbers = [str(share.track) for share in mostly_drawn(shares)]
    if not numbers:
        return ""
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    noun = "track" if len(numbers) == 1 else "tracks"
    return f"more than half of {noun} {', '.join(numbers[:_NAMED])}{more} drawn"


def drawn_share(track: FaceTrack) -> str:
    """The drawn share of a face: mean, and maximum of a frame; "" without a report."""
    share = track.drawn
    return "" if share is None else f"{100 * share.mean:.0f} % (most {100 * share.maximum:.0f} %)"


def video_summary(inspection: Inspection) -> str:
    """Size, length, frame rate, codec and pixel format."""
    rate = "" if inspection.frame_rate is None else f"{float(inspection.frame_rate):.3f} frames/s, "
    return (
        f"{inspection.width} x {inspection.height}, {count(inspection.frames, 'frame')}, {rate}"
        f"{inspection.codec} {inspection.pixel_format}"
    )


def time_span(inspection: Inspection, track: FaceTrack) -> tuple[str, str]:
    """Start and end of a face track, in `unit`."""
    if inspection.frame_rate is None:
        return str(track.first_frame), str(track.last_frame)
    return f"{track.start:.2f}", f"{track.end:.2f}"


def unit(inspection: Inspection) -> str:
    """The unit of times: seconds, or frames if the frame rate is unknown."""
    return "frame" if inspection.frame_rate is None else "s"
