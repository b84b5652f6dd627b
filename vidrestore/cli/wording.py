"""How the commands say what there is: numbers with their nouns, a video in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidrestore.inspection import FaceTrack, Inspection


def count(number: int, noun: str) -> str:
    """`no scenes`, `1 scene`, `2 scenes`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def video_summary(inspection: Inspection) -> str:
    """Its size, length, rate and kind."""
    rate = "" if inspection.frame_rate is None else f"{float(inspection.frame_rate):.3f} frames/s, "
    return (
        f"{inspection.width} x {inspection.height}, {count(inspection.frames, 'frame')}, {rate}"
        f"{inspection.codec} {inspection.pixel_format}"
    )


def time_span(inspection: Inspection, track: FaceTrack) -> tuple[str, str]:
    """From when to when a face is there, in `unit`."""
    if inspection.frame_rate is None:
        return str(track.first_frame), str(track.last_frame)
    return f"{track.start:.2f}", f"{track.end:.2f}"


def unit(inspection: Inspection) -> str:
    """Of times: seconds, or numbers of frames where nobody said how many make a second."""
    return "frame" if inspection.frame_rate is None else "s"
