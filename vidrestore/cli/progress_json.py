"""`--progress json`: progress and messages as JSON, one object per line, for programs that run vidrestore.

docs/progress.md describes the lines.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidrestore.cli.messages import Message, add_listener
from vidrestore.errors import UsageError
from vidrestore.pace import LINES_VERSION, ProgressSampler

if TYPE_CHECKING:
    from vidrestore.cli.item_progress import ItemProgress
    from vidrestore.types import Progress, Report

MIN_SECONDS = 0.25
"""Interval between progress lines of the same stage."""
_STDERR = 2


class JsonProgress:
    """Writes JSON lines to a file descriptor."""

    def __init__(self, descriptor: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`descriptor` is open for writing; 2 is standard error."""
        self._descriptor, self._clock = descriptor, clock
        self._sampler = ProgressSampler(MIN_SECONDS, clock)

    def show(self, progress: Progress, **item: Any) -> None:
        """Writes a line of progress if one is due; `item` says of which of several files."""
        values = self._sampler.sample(progress)
        if values is not None:
            self.write("progress", **values, **item)

    def show_item(self, progress: ItemProgress) -> None:
        """A line for one of several files: how far it is, or what became of it."""
        if progress.outcome is not None:
            self.write(
                "outcome", number=progress.number, items=progress.total, **outcome_values(progress.outcome)
            )
            self._sampler = ProgressSampler(MIN_SECONDS, self._clock)  # each file has its own pace
        elif progress.file is not None:
            self.show(progress.file, number=progress.number, items=progress.total, name=progress.name)

    def show_report(self, report: Report) -> None:
        """Writes the last line of a finished run."""
        from vidrestore.report import report_to_dict

        self.write("report", **report_to_dict(report))

    def receive(self, message: Message) -> bool:
        """Writes a line for a message; True if the lines go to standard error and replace the message."""
        values: dict[str, Any] = {"text": message.text}
        if message.kind == "error":
            values["exit_code"] = message.exit_code
        self.write(message.kind, **values)
        return self._descriptor == _STDERR

    def write(self, event: str, **values: Any) -> None:
        """Writes a line. Errors are ignored, so a reader that has ended does not stop the run."""
        line = json.dumps({"version": LINES_VERSION, "event": event, **values}) + "\n"
        if self._descriptor == _STDERR:
            if sys.stderr is not None:
                print(line, end="", file=sys.stderr, flush=True)
            return
        data = line.encode()
        with suppress(OSError):
            while data:
                data = data[os.write(self._descriptor, data) :]


def outcome_values(outcome: Any) -> dict[str, Any]:
    """The outcome of a file as values for JSON."""
    values = asdict(outcome)
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def start_json_progress(value: str) -> JsonProgress:
    """The writer for `--progress json` or `json:3`, which receives all messages from now on.

    Args:
        value: The option's value.

    Returns:
        The writer.

    Raises:
        UsageError: The value is not valid, or the file descriptor is not open for writing.
    """
    word, _, number = value.partition(":")
    if word != "json" or not (number or ":" not in value) or not (number or "2").isascii():
        raise UsageError(_wanted(value))
    if number and not number.isdigit():
        raise UsageError(_wanted(value))
    descriptor = int(number or _STDERR)
    if descriptor != _STDERR and not _is_writable(descriptor):
        raise UsageError(f"file descriptor {number} of --progress {value} is not open for writing")
    progress = JsonProgress(descriptor)
    add_listener(progress.receive)
    return progress


def _wanted(value: str) -> str:
    return f"--progress must be json or json:N, where N is an open file descriptor, got '{value}'"


def _is_writable(descriptor: int) -> bool:
    try:
        os.write(descriptor, b"")
    except (OSError, OverflowError):
        return False
    return True
