"""--progress json: each line is an object with the documented names, and nothing else is on the stream."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.reports import finished_run, progress
from tests.support.shared import ROOT
from vidrestore import api
from vidrestore.cli import main
from vidrestore.cli.progress_json import JsonProgress
from vidrestore.errors import InputError
from vidrestore.jobs.batch_outcome import BatchProgress, Outcome
from vidrestore.types import Report

GOLDEN = [
    {"version": 1, "event": "progress", "stage": "opening", "frames": 0, "total": None, "faces": 0,
     "seconds": 0.0, "rate": None, "eta": None, "resumed_frames": 0},
    {"version": 1, "event": "progress", "stage": "restoring", "frames": 10, "total": 50, "faces": 16,
     "seconds": 2.5, "rate": None, "eta": None, "resumed_frames": 0},
    {"version": 1, "event": "warning", "text": "a timecode track was left out"},
    {"version": 1, "event": "report", "output": "new.mp4", "frames": 50, "frames_with_faces": 45, "faces": 80,
     "tracks": 1, "lost_frames": 0, "seconds": 5.0, "seconds_by_stage": {"restoration": 4.0},
     "warnings": ["a timecode track was left out"], "concealed_frames": 0,
     "drawn": [{"track": 0, "frames": 40, "mean": 0.07, "maximum": 0.17}], "people": [], "resumed_frames": 0},
]  # fmt: skip
"""All lines of a run."""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["restore", "resume"])
def test_a_run_writes_the_documented_json_lines(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, name, finished_run)
    words = ["restore", "old.mp4", "new.mp4"] if name == "restore" else ["resume", "new.mp4"]
    assert main([*words, "--progress", "json"]) == 0
    assert lines(capsys.readouterr().err) == GOLDEN


def test_json_lines_on_their_own_descriptor_leave_stderr_for_messages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", finished_run)
    read_end, write_end = os.pipe()
    assert main(["restore", "old.mp4", "new.mp4", "--progress", f"json:{write_end}"]) == 0
    os.close(write_end)
    with os.fdopen(read_end) as file:
        assert lines(file.read()) == GOLDEN
    assert capsys.readouterr().err == "vidrestore: warning: a timecode track was left out\n"


@pytest.mark.parametrize(
    ("failure", "text", "code"),
    [
        (InputError("old.mp4 is not a video"), "old.mp4 is not a video", 2),
        (KeyboardInterrupt(), "interrupted; nothing is kept", 130),
    ],
)
def test_the_last_json_line_says_why_the_run_failed(
    failure: BaseException,
    text: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any, **__: Any) -> Report:
        raise failure

    monkeypatch.setattr(api, "restore", fail)
    assert main(["restore", "old.mp4", "new.mp4", "--progress", "json"]) == code
    assert lines(capsys.readouterr().err) == [
        {"version": 1, "event": "error", "text": text, "exit_code": code}
    ]
    assert main(["restore", "old.mp4", "new.mp4"]) == code  # the next run in this process is a usual one
    assert capsys.readouterr().err == f"vidrestore: error: {text}\n"


@pytest.mark.parametrize("value", ["yaml", "json:", "json:x", "json:-1", "json:²", "", "json:99999999999999"])
def test_an_invalid_progress_option_prints_one_error_line(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", "old.mp4", "new.mp4", "--progress", value]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--progress" in error


def test_progress_lines_of_one_stage_are_written_at_most_four_times_a_second(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    writer = JsonProgress(2, clock=lambda: now)
    for frame in range(100):
        now = frame * 0.05
        writer.show(progress(frame, now))
    written = lines(capsys.readouterr().err)
    assert len(written) == 20
    assert [line["rate"] for line in written[-1:]] == [pytest.approx(20, rel=0.01)]


def test_a_reader_that_has_gone_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "restore", finished_run)
    read_end, write_end = os.pipe()
    os.close(read_end)
    assert main(["restore", "old.mp4", "new.mp4", "--quiet", "--progress", f"json:{write_end}"]) == 0
    os.close(write_end)


def test_the_lines_of_a_batch_say_which_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    restored = Outcome(name="a.mp4", target=tmp_path / "a.mp4", state="restored", frames=50, faces=80)
    failed = Outcome(name="b.mp4", target=tmp_path / "b.mp4", state="failed", message="b.mp4 is not a video")

    def restore_folder(*_: Any, on_progress: Any, **__: Any) -> list[Outcome]:
        for number, outcome in enumerate((restored, failed), 1):
            values: dict[str, Any] = {"number": number, "total": 2, "name": outcome.name, "failed": 0}
            on_progress(BatchProgress(file=progress(10, 2.5), **values))
            on_progress(BatchProgress(file=None, outcome=outcome, **values))
        return [restored, failed]

    monkeypatch.setattr("vidrestore.jobs.batch.restore_folder", restore_folder)
    report = tmp_path / "report.json"
    words = ["batch", str(tmp_path), str(tmp_path / "out"), "--progress", "json", "--report", str(report)]
    assert main(words) == 1
    given = lines(capsys.readouterr().err)
    rows = json.loads(report.read_text("utf-8"))
    assert [line["event"] for line in given] == ["progress", "outcome", "progress", "outcome", "report"]
    assert {name: given[0][name] for name in ("number", "items", "name", "frames", "total")} == {
        "number": 1, "items": 2, "name": "a.mp4", "frames": 10, "total": 50,
    }  # fmt: skip
    assert given[3] == {"version": 1, "event": "outcome", "number": 2, "items": 2, **rows[1]}
    assert given[4] == {"version": 1, "event": "report", "outcomes": rows}
    assert rows[1]["message"] == "b.mp4 is not a video"


def test_an_edit_writes_the_documented_json_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("opentimelineio", reason="OpenTimelineIO is an extra: pip install vidrestore[otio]")
    from vidrestore.integrations import edit

    outcome = edit.MediumOutcome(name="a_0-9.mov", state="restored", frames=10, faces=16)

    def restore_edit(*_: Any, on_progress: Any, **__: Any) -> tuple[Any, ...]:
        on_progress(edit.EditProgress(number=1, total=1, name=outcome.name, file=None, outcome=outcome))
        return (outcome,)

    monkeypatch.setattr(edit, "restore_edit", restore_edit)
    assert main(["edit", "in.otio", "out.otio", "--media", "restored", "--progress", "json"]) == 0
    row = {"name": "a_0-9.mov", "state": "restored", "message": "", "frames": 10, "faces": 16}
    assert lines(capsys.readouterr().err) == [
        {"version": 1, "event": "outcome", "number": 1, "items": 1, **row},
        {"version": 1, "event": "report", "output": "out.otio", "outcomes": [row]},
    ]


def test_an_inspection_writes_its_report_as_the_last_json_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "found.json"
    words = ["inspect", str(ROOT / "samples" / "old_film.mp4"), "--end", "0.2", "--json", str(file)]
    assert main([*words, "--progress", "json"]) == 0
    given = lines(capsys.readouterr().err)
    assert {line["event"] for line in given[:-1]} <= {"progress"}
    pictures = given[-1].pop("thumbnails")
    assert given[-1] == {"version": 1, "event": "report", **json.loads(file.read_text("utf-8"))}
    assert pictures.keys() == {str(track["id"]) for track in given[-1]["tracks"]}
    assert all(picture.startswith("data:image/png;base64,iVBOR") for picture in pictures.values())
