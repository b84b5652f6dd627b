"""Inspects a video: detects and tracks its faces as a restoration would."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from vidrestore.errors import InputError, UsageError
from vidrestore.inspection.builder import InspectionBuilder
from vidrestore.inspection.result import Inspection
from vidrestore.runtime.cancellation import check_cancelled
from vidrestore.settings import Settings
from vidrestore.types import FrameFaces, Progress, ProgressCallback, TrackedFace


def inspect_video(
    source: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
    *,
    on_frame: Callable[[FrameFaces[TrackedFace]], None] | None = None,
) -> Inspection:
    """Detects and tracks the faces of a video, as `restore_video` with the same settings does.

    Memory grows only with the number of tracks and scenes.

    Args:
        source: The input.
        settings: All settings.
        on_progress: Called after each frame.
        on_frame: Called with each frame as it was decoded and its faces; not for video that is restored field
            by field or made progressive.

    Returns:
        The scenes, faces and people.

    Raises:
        VidrestoreError: One of its subclasses.
    """
    from vidrestore import video
    from vidrestore.detection import detect, make_detector
    from vidrestore.identity import TrackDescriber, make_recogniser
    from vidrestore.tracking import select_faces, track

    if settings.aligned:
        raise UsageError(
            "aligned faces cannot be inspected, as nothing is detected in them; leave out aligned"
        )
    opened = video.open_video(source, deinterlace=settings.deinterlace, **settings.input_options())
    video_input, info, field_processing = opened.input, opened.info, opened.field_processing
    detector = make_detector(settings.detector, settings.device, min_face=settings.min_face)
    frames = video.read_frames(video_input, info, **settings.time_range(info.frame_rate))
    found = detect(field_processing.split_fields(frames), detector, min_face=settings.min_face)
    recogniser = make_recogniser(settings.device)
    builder = InspectionBuilder(describer=TrackDescriber(recogniser))
    started = time.monotonic()
    for item in select_faces(track(found, recogniser=recogniser), settings.faces):
        check_cancelled()
        if item.frame.second_field:
            continue  # the second field of the same picture
        builder.add(item.frame, item.scene, item.faces)
        if on_frame is not None and field_processing.method == "whole":
            on_frame(item)
        if on_progress is not None:
            seconds = time.monotonic() - started
            total = info.frame_count if settings.start is None and settings.end is None else None
            on_progress(
                Progress(
                    frames=builder.frames,
                    total=total,
                    faces=builder.faces,
                    seconds=seconds,
                    stage="analysing",
                )
            )
    if not builder.frames:
        raise InputError(f"no frame of {source} could be decoded: the file is damaged or cut short")
    timed = settings.fps is not None or not video_input.is_picture
    return builder.result(info, field_processing, info.frame_rate if timed else None)
