"""--progress json: each line is an object by the documented schema, and nothing else is on the stream."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from vidrestore import api
from vidrestore.cli import main
from vidrestore.cli.progress_json import JsonProgress
from vidrestore.errors import InputError
from vidrestore.types import DrawnShare, Progress, Report, Stage

REPORT = Report(
    output=Path("new.mp4"), frames=50, frames_with_faces=45, faces=80, tracks=1, lost_frames=0, seconds=5.0,
    seconds_by_stage={"restoration": 4.0}, warnings=("a timecode track was left out",),
    drawn=(DrawnShare(track=0, frames=40, mean=0.07, maximum=0.17),),
)  # fmt: skip
GOLDEN = [
    {"version": 1, "event": "progress", "stage": "opening", "frames": 0, "total": None, "faces": 0,
     "seconds": 0.0, "rate": None, "eta": None, "resumed_frames": 0},
    {"version": 1, "event": "progress", "stage": "restoring", "frames": 10, "total": 50, "faces": 16,
     "seconds": 2.5, "rate": None, "eta": None, "resumed_frames": 0},
    {"version": 1, "event": "warning", "text": "a timecode track was left out"},
    {"version": 1, "event": "report", "output": "new.mp4", "frames": 50, "frames_with_faces": 45, "faces": 80,
     "tracks": 1, "lost_frames": 0, "seconds": 5.0, "seconds_by_stage": {"restoration": 4.0},
     "warnings": ["a timecode track was left out"], "concealed_frames": 0,
     "drawn": [{"track": 0, "frames": 40, "mean": 0.07, "maximum": 0.17}], "people": []},
]  # fmt: skip
"""All lines of a run."""


def progress(frames: int, seconds: float, stage: Stage = "restoring") -> Progress:
    total = None if stage == "opening" else 50
    return Progress(frames=frames, total=total, faces=frames * 8 // 5, seconds=seconds, stage=stage)


def done(*_: Any, on_progress: Any, **__: Any) -> Report:
    on_progress(progress(0, 0.0, "opening"))
    on_progress(progress(10, 2.5))
    return REPORT


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("name", ["restore", "resume"])
def test_the_lines_of_a_run(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, name, done)
    words = ["restore", "old.mp4", "new.mp4"] if name == "restore" else ["resume", "new.mp4"]
    assert main([*words, "--progress", "json"]) == 0
    assert lines(capsys.readouterr().err) == GOLDEN


def test_on_a_descriptor_of_its_own_standard_error_stays_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", done)
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
def test_the_last_line_says_why_it_failed(
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
def test_what_cannot_be_meant_is_one_sentence(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "old.mp4", "new.mp4", "--progress", value]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--progress" in error


def test_lines_of_one_stage_are_a_moment_apart(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    writer = JsonProgress(2, clock=lambda: now)
    for frame in range(100):
        now = frame * 0.05
        writer.show(progress(frame, now))
    given = lines(capsys.readouterr().err)
    assert len(given) == 20
    assert [line["rate"] for line in given[-1:]] == [pytest.approx(20, rel=0.01)]


def test_a_reader_that_has_gone_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "restore", done)
    read_end, write_end = os.pipe()
    os.close(read_end)
    assert main(["restore", "old.mp4", "new.mp4", "--quiet", "--progress", f"json:{write_end}"]) == 0
    os.close(write_end)
