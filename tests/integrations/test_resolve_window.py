"""The window of the script for DaVinci Resolve, with a user who clicks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import fake_resolve as fake
from tests.support.resolve_runs import Command, Run
from vidrestore.integrations.install import install
from vidrestore.integrations.resolve.session import Session
from vidrestore.integrations.resolve.window import open_window


@pytest.fixture
def source(tmp_path: Path) -> str:
    return fake.touch(tmp_path / "a.mov")


class Bmd:
    """What Resolve gives scripts as `bmd`."""

    UIDispatcher = fake.UIDispatcher

    def __init__(self, resolve: fake.Resolve) -> None:
        self.resolve = resolve

    def scriptapp(self, name: str) -> fake.Resolve:
        assert name == "Resolve"
        return self.resolve


def opened(run: Run, monkeypatch: pytest.MonkeyPatch, script: Any) -> None:
    """The window, with a user who does what `script` says."""
    run.resolve.UIManager = fake.UIManager()
    monkeypatch.setattr(fake.UIDispatcher, "script", script, raising=False)
    monkeypatch.setattr(Session.__init__, "__defaults__", (lambda words: Command(words, run.state),))
    open_window({"resolve": run.resolve, "bmd": Bmd(run.resolve)}, lambda _: None)


def test_the_window_restores_what_the_user_wants(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = fake.Item("a", fake.Medium(source))
    run = Run(item)
    seen: list[str] = []

    def user(window: fake.UIDispatcher, step: int) -> None:
        if step == 1:
            window.items["Strength"].Value = 70
            window.items["Codec"].chosen = 1
            window.On.Start.Clicked({})
        if step == 2:
            seen.append(window.items["Progress"].Text)
            window.On.Start.Clicked({})  # while it runs: nothing
        if step == 6:
            seen.append(window.items["Log"].PlainText)
            window.On.VidrestoreWindow.Close({})

    opened(run, monkeypatch, user)
    assert seen[0].startswith("[###############...............] 50 %  1 of 1: a_100-149.mov")
    assert seen[1].endswith("a_100-149.mov: restored\n")
    assert item.selected == 2


def test_cancel_and_closing_the_window_end_the_run(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    item = fake.Item("a", fake.Medium(source))
    run = Run(item)
    run.state = "running"
    seen: list[bool] = []

    def user(window: fake.UIDispatcher, step: int) -> None:
        if step == 1:
            window.On.Start.Clicked({})
        if step == 3:
            seen.append(window.items["Cancel"].Enabled)
            window.On.Cancel.Clicked({})
        if step == 6:
            seen.append(window.items["Cancel"].Enabled)
            window.On.VidrestoreWindow.Close({})

    opened(run, monkeypatch, user)
    assert seen == [True, False]
    assert item.takes == []


def test_a_resolve_without_windows_restores_with_default_settings(
    source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    item = fake.Item("a", fake.Medium(source))
    run = Run(item)
    monkeypatch.setattr(Session.__init__, "__defaults__", (Command,))
    open_window({"bmd": Bmd(run.resolve)}, lambda _: None)
    assert item.selected == 2
    assert "a_100-149.mov: restored" in capsys.readouterr().out


def test_outside_of_resolve_the_script_says_how_to_start_it(capsys: pytest.CaptureFixture[str]) -> None:
    open_window({}, lambda _: None)
    assert "Workspace > Scripts" in capsys.readouterr().out


def test_resolve_is_found_by_its_app_too(capsys: pytest.CaptureFixture[str]) -> None:
    class App:
        def GetResolve(self) -> fake.Resolve:
            return fake.Resolve(None)

    open_window({"app": App()}, lambda _: None)
    assert "open a timeline first" in capsys.readouterr().out


def test_the_menu_script_finds_the_installed_package(tmp_path: Path) -> None:
    script = next(path for path in install("resolve", tmp_path) if path.parent.name == "Utility")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script)], capture_output=True, text=True, timeout=120, check=True
    )
    assert "start this script from Workspace > Scripts" in done.stdout
