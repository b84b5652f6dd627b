"""In a notebook a bar is shown, and elsewhere nothing."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from vidrestore.notebook import bar_html, progress_bar
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
    assert [text.split("> ")[1].split(":")[0] for text in shown] == ["opening", "loading", "restoring"]


def test_there_is_no_progress_bar_outside_of_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert progress_bar() is None
    terminal: Any = ModuleType("IPython")
    for shell in (None, SimpleNamespace()):
        terminal.get_ipython = lambda shell=shell: shell
        monkeypatch.setitem(sys.modules, "IPython", terminal)
        assert progress_bar() is None


def test_the_bar_shows_no_time_left_without_a_total() -> None:
    text = bar_html(Progress(frames=5, total=None, faces=1, seconds=2.0))
    assert "left" not in text
    assert "max" not in text
