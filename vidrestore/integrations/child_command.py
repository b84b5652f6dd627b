"""Runs a vidrestore command as a child process of a host program and follows its progress.

It runs in the Python of host programs: it needs Python 3.7 and the standard library only. `vidrestore
integrations install` copies this file into the folder of a host's scripts, with `command.json`, which has the
command that starts vidrestore.

    command = ChildCommand(["restore", "in.mov", "out.mov"])
    while command.state == "running":
        show(command.share, command.text)      # in the host's own way
    print(command.error or command.report)
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 30.0
"""Time between a request to end and killing the process."""
COMMAND_FILE = "command.json"
END_WITH_STDIN = "VIDRESTORE_END_WITH_STDIN"
"""With this variable, the command ends as after Ctrl-C when its standard input is closed: on systems without
signals, and when the host has died."""
_OF_THE_HOST = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
"""Variables of the host's own Python, which would mislead another Python."""
_STAGES = {
    "opening": "examining the input",
    "loading": "loading the networks",
    "analysing": "finding faces",
    "restoring": "restoring",
    "measuring": "measuring",
    "finishing": "completing the output",
}
_KEPT_LINES = 20


class ChildCommand:
    """A running command. A thread reads its output; any thread may read the attributes."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        command: Sequence[str] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts the command. If it cannot be started, `error` says why.

        Args:
            words: Arguments, such as `["restore", "in.mov", "out.mov"]`, without `--progress`.
            command: The command that starts vidrestore; None: from `find_command`.
            on_change: Called in the reading thread after each line, and at the end.
        """
        self.progress: dict[str, Any] = {}
        """The values of the last progress line (docs/progress.md)."""
        self.report: dict[str, Any] | None = None
        """The values of the last line, if the command is done."""
        self.error = ""
        """Why it failed, in one sentence."""
        self.warnings: list[str] = []
        self._on_change = on_change
        self._ended = threading.Event()
        self._is_cancelled = False
        self._unread: deque[str] = deque(maxlen=_KEPT_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = _start([*(command or find_command()), *words, "--progress", "json"])
        except (OSError, ValueError) as error:
            self.error = f"vidrestore could not be started: {error}; install it: pip install vidrestore"
            self._ended.set()
            return
        self._reader = threading.Thread(target=self._read, name="vidrestore", daemon=True)
        self._reader.start()

    @property
    def state(self) -> str:
        """running, done, failed or cancelled."""
        if not self._ended.is_set():
            return "running"
        if self.report is not None and not self.error:
            return "done"
        return "cancelled" if self._is_cancelled else "failed"

    @property
    def share(self) -> float | None:
        """The finished share, 0 to 1; None: unknown."""
        if self.state == "done":
            return 1.0
        frames, total = self.progress.get("frames"), self.progress.get("total")
        if not total or self.progress.get("stage") in ("opening", "loading"):
            return None
        return min(frames / total, 1.0) if isinstance(frames, int) else None

    @property
    def text(self) -> str:
        """One line for the user: the current stage, or the result."""
        state = self.state
        if state != "running":
            return self.error if state == "failed" else state
        stage = str(self.progress.get("stage", ""))
        words = _STAGES.get(stage, stage) or "starting"
        frames, total, left = (self.progress.get(name) for name in ("frames", "total", "eta"))
        if stage not in ("analysing", "restoring", "measuring"):
            return words
        line = f"{words}: {frames}/{total} frames" if total else f"{words}: {frames} frames"
        return line if left is None else f"{line}, {int(left) // 60}:{int(left) % 60:02} left"

    def cancel(self) -> None:
        """Asks the command to end, and kills it after `PATIENCE_SECONDS`. Finished segments are kept."""
        process = self._process
        if process is None or self._is_cancelled or self._ended.is_set():
            return
        self._is_cancelled = True
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        if os.name != "nt":
            with suppress(OSError):
                process.send_signal(signal.SIGINT)
        timer = threading.Timer(PATIENCE_SECONDS, self._kill)
        timer.daemon = True
        timer.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits up to `seconds`; returns whether the command has ended."""
        return self._ended.wait(seconds)

    def _read(self) -> None:
        process = self._process
        assert process is not None
        assert process.stderr is not None
        with process.stderr as lines:
            for line in lines:
                self._take(line.decode("utf-8", "replace").rstrip())
        code = process.wait()
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        if self.report is None and not self.error:
            said = " ".join(self._unread)
            self.error = said or f"vidrestore ended with exit code {code} and without a message"
        self._ended.set()
        self._on_change()

    def _take(self, line: str) -> None:
        try:
            values = json.loads(line)
            event = values.pop("event")
        except (ValueError, KeyError, AttributeError, TypeError):
            self._unread.append(line)
            return
        if event == "progress":
            self.progress = values
        elif event == "report":
            self.report = values
        elif event == "warning":
            self.warnings.append(str(values.get("text", "")))
        elif event == "error":
            self.error = str(values.get("text", "")) or "vidrestore failed"
        self._on_change()

    def _kill(self) -> None:
        if self._process is not None and not self._ended.is_set():
            with suppress(OSError):
                self._process.kill()


def find_command(folder: Path | None = None) -> list[str]:
    """The command that starts vidrestore, as a list of words.

    It comes from `command.json` in `folder` (by default the folder of this file), if its program still
    exists; otherwise from this Python, if vidrestore is installed in it; otherwise from the PATH.
    """
    file = (folder or Path(__file__).resolve().parent) / COMMAND_FILE
    with suppress(OSError, ValueError, TypeError, AttributeError, LookupError):
        words = [str(word) for word in json.loads(file.read_text("utf-8"))["command"]]
        if Path(words[0]).is_file():
            return words
    if importlib.util.find_spec("vidrestore") is not None and sys.executable:
        return [sys.executable, "-m", "vidrestore"]
    return [shutil.which("vidrestore") or "vidrestore"]


def _start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_HOST}
    environment[END_WITH_STDIN] = "1"
    return subprocess.Popen(
        list(words),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # no console window in front of the host
    )
