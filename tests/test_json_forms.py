"""The names in each JSON that programs read: one that goes or changes its meaning breaks them.

The lines of --progress json are in cli/test_progress_json.py.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from tests.support.reports import INSPECTION, PLAN, REPORT
from vidrestore.cli.batch import _rows
from vidrestore.cli.run_report import run_report_json
from vidrestore.jobs.batch_outcome import Outcome

REPORT_NAMES = [
    "made_by", "output", "frames", "frames_with_faces", "faces", "tracks", "lost_frames", "seconds",
    "seconds_by_stage", "warnings", "concealed_frames", "drawn", "people",
]  # fmt: skip
INSPECTION_NAMES = [
    "path", "width", "height", "frame_rate", "duration", "codec", "pixel_format", "rotation", "mirrored",
    "interlaced", "field_order", "telecined", "other_streams", "frames", "frames_with_faces", "scenes",
    "tracks", "people",
]  # fmt: skip
TRACK_NAMES = [
    "id", "person", "first_frame", "last_frame", "start", "end", "frames", "side", "sharpness", "score",
    "drawn",
]  # fmt: skip
OUTCOME_NAMES = [
    "name", "target", "state", "message", "frames", "faces", "tracks", "lost_frames", "concealed_frames",
    "seconds", "attempts", "drawn", "settings",
]  # fmt: skip
PLAN_NAMES = [
    "input", "output", "frames", "frame_rate", "width", "height", "container", "encoder", "segment_seconds",
    "device", "sampled_frames", "rate", "seconds", "bytes", "free_bytes",
]  # fmt: skip


def test_the_report_of_a_run() -> None:
    values = json.loads(run_report_json(REPORT))
    assert list(values) == REPORT_NAMES
    assert [list(share) for share in values["drawn"]] == [["track", "frames", "mean", "maximum"]]


def test_an_inspection() -> None:
    values = INSPECTION.to_dict()
    assert list(values) == INSPECTION_NAMES
    assert list(values["tracks"][0]) == TRACK_NAMES
    assert list(values["people"][0]) == ["id", "tracks", "frames", "distance"]
    assert list(values["scenes"][0]) == ["first_frame", "frames", "start"]


def test_a_batch() -> None:
    (row,) = json.loads(
        json.dumps(_rows([Outcome(name="a.mkv", target=Path("out/a.mkv"), state="restored")]))
    )
    assert list(row) == OUTCOME_NAMES


def test_a_plan() -> None:
    assert [field.name for field in fields(PLAN)] == PLAN_NAMES
