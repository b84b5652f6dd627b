"""The names in each JSON that programs read: removing one, or changing its meaning, breaks them.

The lines of --progress json are in cli/test_progress_json.py.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

from tests.support.reports import INSPECTION, PLAN, REPORT
from vidrestore.cli.batch import _rows
from vidrestore.cli.run_report import run_report_json
from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.left_out import LeftOut
from vidrestore.evaluation.pairing import Check
from vidrestore.evaluation.paper import PaperResult
from vidrestore.evaluation.paper_table import to_dict as paper_to_dict
from vidrestore.evaluation.report.plain import to_dict
from vidrestore.evaluation.samples import Samples
from vidrestore.jobs.batch_outcome import Outcome
from vidrestore.web.job_store import Job

REPORT_NAMES = [
    "made_by", "output", "frames", "frames_with_faces", "faces", "tracks", "lost_frames", "seconds",
    "seconds_by_stage", "warnings", "concealed_frames", "drawn", "people", "resumed_frames",
]  # fmt: skip
INSPECTION_NAMES = [
    "path", "width", "height", "frame_rate", "duration", "codec", "pixel_format", "rotation", "mirrored",
    "interlaced", "field_order", "telecined", "other_streams", "frames", "frames_with_faces", "scenes",
    "tracks", "people",
]  # fmt: skip
TRACK_NAMES = [
    "id", "person", "first_frame", "last_frame", "start", "end", "frames", "side", "centre", "sharpness",
    "score", "drawn",
]  # fmt: skip
OUTCOME_NAMES = [
    "name", "target", "state", "message", "frames", "faces", "tracks", "lost_frames", "concealed_frames",
    "seconds", "attempts", "drawn", "settings",
]  # fmt: skip
PLAN_NAMES = [
    "input", "output", "frames", "frame_rate", "width", "height", "container", "encoder", "segment_seconds",
    "device", "sampled_frames", "rate", "seconds", "bytes", "free_bytes",
]  # fmt: skip
EVALUATION_NAMES = [
    "files", "is_video", "size", "pictures", "faces", "reference", "seconds", "measures", "summary", "tracks",
    "checks", "passed", "left_out", "by_picture", "by_face",
]  # fmt: skip
SUMMARY_NAMES = ["measure", "of", "mean", "low", "high", "count", "worst", "worst_at"]
PAPER_NAMES = ["set", "about", "rows", "differs", "checks", "left_out", "pictures"]
JOB_NAMES = [
    "id", "kind", "state", "position", "input", "output", "settings", "message", "created", "result",
]  # fmt: skip


def test_json_of_a_run_report_has_the_expected_names() -> None:
    values = json.loads(run_report_json(REPORT))
    assert list(values) == REPORT_NAMES
    assert [list(share) for share in values["drawn"]] == [["track", "frames", "mean", "maximum"]]


def test_json_of_an_inspection_has_the_expected_names() -> None:
    values = INSPECTION.to_dict()
    assert list(values) == INSPECTION_NAMES
    assert list(values["tracks"][0]) == TRACK_NAMES
    assert list(values["people"][0]) == ["id", "tracks", "frames", "distance"]
    assert list(values["scenes"][0]) == ["first_frame", "frames", "start"]


def test_json_of_a_batch_has_the_expected_names() -> None:
    (row,) = json.loads(
        json.dumps(_rows([Outcome(name="a.mkv", target=Path("out/a.mkv"), state="restored")]))
    )
    assert list(row) == OUTCOME_NAMES


def test_json_of_an_evaluation_has_the_expected_names() -> None:
    pictures, faces = Samples(("result.psnr",)), Samples(("result.psnr",))
    for frame, value in enumerate((30.0, 31.0)):
        pictures.add(frame, frame / 25, -1, {"result.psnr": value})
        faces.add(frame, frame / 25, 0, {"result.psnr": value})
    values = json.loads(
        json.dumps(
            to_dict(
                Evaluation(
                    paths={"result": Path("a.mkv"), "truth": Path("b.mkv")},
                    is_video=True,
                    size=(64, 48),
                    names=(),
                    pictures=pictures,
                    faces=faces,
                    worst=(),
                    sets=(),
                    checks=(Check(name="frames", passed=True, sentence="both have 2 frames"),),
                    left_out=(LeftOut(name="lpips", reason="not installed"),),
                    seconds=1.0,
                )
            )
        )
    )
    assert list(values) == EVALUATION_NAMES
    assert list(next(iter(values["measures"].values()))) == ["title", "unit", "better", "about"]
    assert list(values["by_picture"][0]) == ["frame", "seconds", "values"]
    assert list(values["by_face"][0]) == ["frame", "seconds", "face", "values"]
    assert list(values["summary"][0]) == SUMMARY_NAMES


def test_json_of_a_job_of_the_page_has_the_expected_names() -> None:
    job = Job(
        id=1,
        kind="restore",
        state="queued",
        position=1.0,
        input="a.mkv",
        output="b.mkv",
        settings={},
        pid=None,
        process_start=None,
        message="",
        result=None,
        created=0.0,
        changed=0.0,
        is_cancelled=False,
    )
    assert list(job.to_dict()) == JOB_NAMES


def test_json_of_the_paper_s_table_has_the_expected_names() -> None:
    result = PaperResult(
        set="lfw",
        about="LFW-Test",
        names=("a.png",),
        values={"result": [{"niqe": 4.0}]},
        fid={},
        checks=(),
        left_out=(),
    )
    values = paper_to_dict(result)
    assert list(values) == PAPER_NAMES
    assert list(values["rows"]["result"]["niqe"]) == ["mean", "low", "high", "count"]


def test_json_of_a_plan_has_the_expected_names() -> None:
    assert [field.name for field in fields(PLAN)] == PLAN_NAMES
