"""`--progress json`: what a run is at, as JSON, an object a line; for programs that start vidrestore.

docs/progress.md describes the lines. `VERSION` grows when a name that is there changes its meaning or goes;
new names may come without that.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vidrestore.cli.messages import Message, add_listener
from vidrestore.errors import UsageError
from vidrestore.pace import PaceMeter

if TYPE_CHECKING:
    from vidrestore.types import Progress, Report

VERSION = 1
MIN_SECONDS = 0.25
"""Between two lines of progress of the same stage."""
_STDERR = 2


class JsonProgress:
    """Writes the lines."""

    def __init__(self, descriptor: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`descriptor` is open for writing; 2 is standard error."""
        self._descriptor, self._clock = descriptor, clock
        self._pace, self._stage, self._due = PaceMeter(), "", 0.0

    def show(self, progress: Progress) -> None:
        """A line of progress, unless the last one was a moment ago."""
        pace = self._pace.update(progress)
        if progress.stage == self._stage and self._clock() < self._due:
            return
        self._stage, self._due = progress.stage, self._clock() + MIN_SECONDS
        self.write(
            "progress",
            stage=progress.stage,
            frames=progress.frames,
            total=progress.total,
            faces=progress.faces,
            seconds=round(progress.seconds, 3),
            rate=None if pace.rate is None else round(pace.rate, 3),
            eta=None if pace.seconds_left is None else round(pace.seconds_left, 1),
            resumed_frames=progress.resumed_frames,
        )

    def show_report(self, report: Report) -> None:
        """The last line of a run that is done."""
        from vidrestore.report import report_to_dict

        self.write("report", **report_to_dict(report))

    def hear(self, message: Message) -> bool:
        """A line for a message; it takes the message from standard error where lines go there."""
        values: dict[str, Any] = {"text": message.text}
        if message.kind == "error":
            values["exit_code"] = message.exit_code
        self.write(message.kind, **values)
        return self._descriptor == _STDERR

    def write(self, event: str, **values: Any) -> None:
        """A line. Whether anybody reads it changes nothing for the work."""
        line = json.dumps({"version": VERSION, "event": event, **values}) + "\n"
        if self._descriptor == _STDERR:
            if sys.stderr is not None:
                print(line, end="", file=sys.stderr, flush=True)
            return
        data = line.encode()
        with suppress(OSError):
            while data:
                data = data[os.write(self._descriptor, data) :]


def start_json_progress(value: str) -> JsonProgress:
    """The writer that `--progress json` or `json:3` asks for; it hears all messages from now on.

    Raises:
        UsageError: it says something else, or nothing is open for writing there.
    """
    word, _, number = value.partition(":")
    if word != "json" or not (number or ":" not in value) or not (number or "2").isascii():
        raise UsageError(_wanted(value))
    if number and not number.isdigit():
        raise UsageError(_wanted(value))
    descriptor = int(number or _STDERR)
    if descriptor != _STDERR and not _is_writable(descriptor):
        raise UsageError(f"nothing is open for writing at file descriptor {number}, of --progress {value}")
    progress = JsonProgress(descriptor)
    add_listener(progress.hear)
    return progress


def _wanted(value: str) -> str:
    return f"--progress must be json or json:N, N a file descriptor that is open, got '{value}'"


def _is_writable(descriptor: int) -> bool:
    try:
        os.write(descriptor, b"")
    except (OSError, OverflowError):
        return False
    return True
