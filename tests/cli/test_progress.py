"""What a waiting user reads."""

from __future__ import annotations

import pytest

from vidrestore.cli.progress import LINE_EVERY_SECONDS, _bar, _lines, describe
from vidrestore.types import Progress


def at(frames: int, seconds: float, total: int | None = 300) -> Progress:
    return Progress(frames=frames, total=total, faces=2 * frames, seconds=seconds)


def test_a_line_holds_frames_faces_rate_and_time_left() -> None:
    assert describe(at(100, 50.0)) == "100/300 frames, 200 faces, 2.0 frames/s, 0:01:40 left"


def test_without_a_total_nothing_is_promised() -> None:
    assert describe(at(100, 50.0, total=None)) == "100 frames, 200 faces, 2.0 frames/s"


def test_the_first_moment_and_a_wrong_total_do_no_harm() -> None:
    assert describe(at(0, 0.0)) == "0/300 frames, 0 faces, 0.0 frames/s"
    assert describe(at(310, 10.0)).endswith("0:00:00 left")


def test_off_a_terminal_a_line_comes_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    show = _lines(lambda: now)
    for frames in range(1, 101):
        now = frames * 0.125
        show(at(frames, now))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == int(100 * 0.125 // LINE_EVERY_SECONDS)


def test_the_bar_stays_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with _bar() as show:
        show(at(10, 1.0))
        show(at(400, 2.0))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "400/300 frames" in " ".join(printed.err.split())
