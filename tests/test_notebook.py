"""In a notebook a bar is shown, and elsewhere nothing."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from vidrestore.notebook import bar_html, progress_bar
from vidrestore.pace import Pace
from vidrestore.types import Progress


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a fake of IPython with a kernel shows; each text replaces the one before."""
    texts: list[str] = []
    ipython: Any = ModuleType("IPython")
    display: Any = ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    display.HTML = str
    handle = SimpleNamespace(update=texts.append)
    display.display = lambda text, display_id: handle
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return texts


def test_the_bar_follows_and_its_end_is_shown(shown: list[str]) -> None:
    bar = progress_bar()
    assert bar is not None
    for frames in range(11):
        bar(Progress(frames=frames, total=10, faces=2 * frames, seconds=1.0))
    assert 2 <= len(shown) <= 11
    assert 'value="10" max="10"' in shown[-1]
    assert "restoring: 10/10 frames, 20 faces" in shown[-1]


def test_a_new_stage_is_shown_at_once(shown: list[str]) -> None:
    bar = progress_bar()
    assert bar is not None
    for stage in ("opening", "loading", "restoring"):
        bar(Progress(frames=0, total=None, faces=0, seconds=0.0, stage=stage))  # type: ignore[arg-type]
    words = [text.split("> ")[1] for text in shown]
    assert words == ["examining the input", "loading the networks", "restoring: 0 frames, 0 faces"]


def test_the_time_left_is_that_of_the_frames_of_this_run(
    shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrestore.notebook._EVERY_SECONDS", 0.0)
    bar = progress_bar()
    assert bar is not None
    for frames, seconds in ((600, 20.0), (610, 25.0), (620, 30.0)):
        bar(Progress(frames=frames, total=640, faces=0, seconds=seconds, resumed_frames=600))
    assert shown[-1].endswith("restoring: 620/640 frames, 0 faces, about 0:00:10 left")


def test_there_is_no_progress_bar_outside_of_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert progress_bar() is None
    terminal: Any = ModuleType("IPython")
    for shell in (None, SimpleNamespace()):
        terminal.get_ipython = lambda shell=shell: shell
        monkeypatch.setitem(sys.modules, "IPython", terminal)
        assert progress_bar() is None


def test_the_bar_shows_no_time_left_without_a_total() -> None:
    pace = Pace(rate=2.5, seconds_left=None)
    text = bar_html(Progress(frames=5, total=None, faces=1, seconds=2.0), pace)
    assert "left" not in text
    assert "max" not in text
