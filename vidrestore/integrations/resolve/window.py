"""The window in Resolve, by Fusion's UIManager; without it (in Resolve's free edition), a run in the console.

The module has its own event loop: a step of the dispatcher, then a step of the session. The dispatcher's
timers are reported not to fire in some versions.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from .session import CODECS, RunSettings, Session
from .used_clips import SCOPES

WINDOW = "VidrestoreWindow"
PAUSE_SECONDS = 0.05
_BAR = 30
_FIDELITIES = ("auto", "0", "0.5", "1")


def open_window(host: Mapping[str, Any], sleep: Callable[[float], None] = time.sleep) -> None:
    """Show the window until the user closes it.

    Args:
        host: The globals that Resolve gives a script: `resolve`, `bmd`, `app` or some of them.
        sleep: Waits between two steps of the loop [seconds].
    """
    resolve = _find_resolve(host)
    if resolve is None:
        print("vidrestore: start this script from Workspace > Scripts in DaVinci Resolve")
        return
    manager, bmd = getattr(resolve.Fusion(), "UIManager", None), host.get("bmd")
    manager = manager() if callable(manager) and not hasattr(manager, "VGroup") else manager
    if manager is None or bmd is None:
        _run_in_console(resolve, sleep)
        return
    _Window(resolve, manager, bmd.UIDispatcher(manager)).run(sleep)


class _Window:
    def __init__(self, resolve: Any, ui: Any, dispatcher: Any) -> None:
        self._resolve, self._dispatcher = resolve, dispatcher
        self._session: Session | None = None
        self._is_open = True
        self._shown = ""
        self._window = dispatcher.AddWindow(
            {"ID": WINDOW, "WindowTitle": "vidrestore", "Geometry": [300, 200, 520, 420]}, _layout(ui)
        )
        self._items = self._window.GetItems()
        for name, values in (("Scope", SCOPES), ("Fidelity", _FIDELITIES), ("Codec", CODECS)):
            self._items[name].AddItems(list(values))
        self._window.On.Start.Clicked = lambda _: self._start()
        self._window.On.Cancel.Clicked = lambda _: self._cancel()
        getattr(self._window.On, WINDOW).Close = lambda _: self._close()

    def run(self, sleep: Callable[[float], None]) -> None:
        self._window.Show()
        while self._is_open:
            with suppress(KeyError):  # an event without a handler
                self._dispatcher.StepLoop(False)
            self._step()
            sleep(PAUSE_SECONDS)
        self._cancel()
        self._window.Hide()

    def _start(self) -> None:
        if self._session is not None and self._session.is_busy:
            return
        items = self._items
        self._items["Log"].PlainText = ""
        settings = RunSettings(
            scope=items["Scope"].CurrentText,
            strength=float(items["Strength"].Value) / 100,
            fidelity=items["Fidelity"].CurrentText,
            faces=items["Faces"].Text.strip() or "all",
            codec=items["Codec"].CurrentText,
            handles=int(items["Handles"].Value),
            folder=items["Folder"].Text.strip(),
        )
        self._session = Session(self._resolve, settings, self._say)

    def _step(self) -> None:
        if self._session is None:
            return
        self._session.step()
        busy = self._session.is_busy
        text = f"{_bar(self._session.share)}  {self._session.text}" if busy else ""
        if text != self._shown:
            self._shown = self._items["Progress"].Text = text
        self._items["Start"].Enabled = not busy
        self._items["Cancel"].Enabled = busy

    def _cancel(self) -> None:
        if self._session is not None:
            self._session.cancel()

    def _close(self) -> None:
        self._is_open = False

    def _say(self, sentence: str) -> None:
        self._items["Log"].PlainText = f"{self._items['Log'].PlainText}{sentence}\n"


def _layout(ui: Any) -> Any:
    def row(label: str, control: Any) -> Any:
        return ui.HGroup({"Weight": 0}, [ui.Label({"Text": label, "Weight": 0.4}), control])

    return ui.VGroup(
        [
            row("Clips", ui.ComboBox({"ID": "Scope"})),
            row(
                "Strength, percent",
                ui.SpinBox({"ID": "Strength", "Minimum": 0, "Maximum": 100, "Value": 100}),
            ),
            row("Fidelity", ui.ComboBox({"ID": "Fidelity"})),
            row("Faces (all, largest, 0,2)", ui.LineEdit({"ID": "Faces", "Text": "all"})),
            row("Codec", ui.ComboBox({"ID": "Codec"})),
            row("Handles, frames", ui.SpinBox({"ID": "Handles", "Minimum": 0, "Maximum": 1000, "Value": 12})),
            row("Folder (empty: next to the file)", ui.LineEdit({"ID": "Folder", "Text": ""})),
            ui.Label({"ID": "Progress", "Text": "", "Weight": 0}),
            ui.TextEdit({"ID": "Log", "ReadOnly": True}),
            ui.HGroup(
                {"Weight": 0},
                [
                    ui.Button({"ID": "Start", "Text": "Restore"}),
                    ui.Button({"ID": "Cancel", "Text": "Cancel", "Enabled": False}),
                ],
            ),
        ]
    )


def _run_in_console(resolve: Any, sleep: Callable[[float], None]) -> None:
    """Run with default settings, and print the progress to Resolve's console."""
    print("vidrestore: this Resolve has no windows for scripts; restoring with default settings")
    session, shown = Session(resolve, RunSettings(), lambda sentence: print(f"vidrestore: {sentence}")), -1
    while session.is_busy:
        session.step()
        if int(session.share * 10) != shown and session.text:
            shown = int(session.share * 10)
            print(f"vidrestore: {_bar(session.share)}  {session.text}")
        sleep(PAUSE_SECONDS)


def _bar(share: float) -> str:
    full = int(share * _BAR)
    return f"[{'#' * full}{'.' * (_BAR - full)}] {int(share * 100)} %"


def _find_resolve(host: Mapping[str, Any]) -> Any:
    if host.get("resolve") is not None:
        return host["resolve"]
    if host.get("app") is not None:
        return host["app"].GetResolve()
    bmd = host.get("bmd") or sys.modules.get("DaVinciResolveScript")
    return None if bmd is None else bmd.scriptapp("Resolve")
