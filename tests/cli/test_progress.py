"""The progress display in a terminal."""

from __future__ import annotations

import pytest

from vidrestore.cli.progress import LINE_EVERY_SECONDS, _bar, _lines, describe
from vidrestore.pace import STAGES, UNKNOWN, Pace
from vidrestore.types import Progress, Stage


def at(frames: int, seconds: float, total: int | None = 300, stage: Stage = "restoring") -> Progress:
    return Progress(frames=frames, total=total, faces=2 * frames, seconds=seconds, stage=stage)


def test_a_line_holds_stage_frames_faces_rate_and_time_left() -> None:
    pace = Pace(rate=2.0, seconds_left=100.0)
    assert describe(at(100, 50.0), pace) == "restoring: 100/300 frames, 200 faces, 2.0 frames/s, 0:01:40 left"


def test_no_time_left_is_shown_without_a_total() -> None:
    pace = Pace(rate=2.0, seconds_left=None)
    assert describe(at(100, 50.0, total=None), pace) == "restoring: 100 frames, 200 faces, 2.0 frames/s"


def test_progress_says_that_the_time_left_is_not_known_yet() -> None:
    assert describe(at(0, 0.0), UNKNOWN) == "restoring: 0/300 frames, estimating the time left"


def test_each_stage_has_its_own_label() -> None:
    assert describe(at(0, 0.0, stage="loading"), UNKNOWN) == "loading the networks"
    assert describe(at(7, 0.0, stage="analysing"), UNKNOWN).startswith("finding faces: 7/300 frames")
    assert set(STAGES) == set(Stage.__args__)  # type: ignore[attr-defined]


def test_outside_a_terminal_a_line_is_printed_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    show = _lines(lambda: now)
    for frames in range(1, 101):
        now = frames * 0.125
        show(at(frames, now))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == int(100 * 0.125 // LINE_EVERY_SECONDS)


def test_the_bar_stays_on_stderr_and_names_the_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with _bar() as show:
        show(at(0, 0.5, stage="loading"))
        show(at(10, 1.0))
        show(at(400, 2.0))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "restoring: 400/300 frames" in " ".join(printed.err.split())
