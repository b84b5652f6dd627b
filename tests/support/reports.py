"""A report, an inspection and a plan of a run, for tests of what commands print and write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vidrestore.identity import Person
from vidrestore.inspection import FaceTrack, Inspection, Scene
from vidrestore.jobs.dry_run import RunPlan
from vidrestore.types import DrawnShare, Progress, Report, Stage

REPORT = Report(
    output=Path("new.mp4"), frames=50, frames_with_faces=45, faces=80, tracks=1, lost_frames=0, seconds=5.0,
    seconds_by_stage={"restoration": 4.0}, warnings=("a timecode track was left out",),
    drawn=(DrawnShare(track=0, frames=40, mean=0.07, maximum=0.17),),
)  # fmt: skip
INSPECTION = Inspection(
    path=Path("old.mp4"), width=64, height=48, frame_rate=None, duration=2.0, codec="h264",
    pixel_format="yuv420p", rotation=0, mirrored=False, field_order="progressive", telecined=False,
    other_streams=(), frames=50, frames_with_faces=45, scenes=(Scene(first_frame=0, frames=50, start=0.0),),
    tracks=tuple(
        FaceTrack(
            id=track, person=track, descriptor=None, first_frame=0, last_frame=49, start=0.0, end=2.0,
            frames=40, side=(30, 35, 40), centre=(0.5, 0.5), sharpness=3.0, score=0.9,
            thumbnail=np.zeros((128, 128, 3), np.uint8),
        )
        for track in (0, 3, 5)
    ),
    people=tuple(Person(id=track, tracks=(track,), frames=40, distance=None) for track in (0, 3, 5)),
)  # fmt: skip
PLAN = RunPlan(
    input="old.mp4", output="new.mp4", frames=3000, frame_rate=25.0, width=640, height=480, container="mp4",
    encoder="libx264", segment_seconds=None, device="cpu", sampled_frames=72, rate=5.2, seconds=576.9,
    bytes=35_000_000, free_bytes=120_000_000_000,
)  # fmt: skip


def progress(frames: int, seconds: float, stage: Stage = "restoring") -> Progress:
    """The progress of a run over 50 frames."""
    total = None if stage == "opening" else 50
    return Progress(frames=frames, total=total, faces=frames * 8 // 5, seconds=seconds, stage=stage)


def finished_run(*_: Any, on_progress: Any, **__: Any) -> Report:
    """Replaces `vidrestore.restore`: reports some progress and returns `REPORT`."""
    on_progress(progress(0, 0.0, "opening"))
    on_progress(progress(10, 2.5))
    return REPORT
