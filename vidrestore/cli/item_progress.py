"""Progress of a run over several files, as lines on standard error."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from vidrestore.cli.progress import LINE_EVERY_SECONDS, describe
from vidrestore.cli.terminal import print_message
from vidrestore.pace import PaceMeter

if TYPE_CHECKING:
    from vidrestore.types import Progress


class ItemOutcome(Protocol):
    """The outcome of a file."""

    @property
    def state(self) -> str: ...

    @property
    def message(self) -> str: ...


class ItemProgress(Protocol):
    """The progress of a file in a run over several."""

    @property
    def number(self) -> int: ...

    @property
    def total(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def file(self) -> Progress | None: ...

    @property
    def outcome(self) -> ItemOutcome | None: ...


class ItemPrinter:
    """Prints failures at once, other outcomes unless quiet, and the progress of a file every few seconds."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._due = time.monotonic()
        self._meter = PaceMeter()

    def show(self, progress: ItemProgress, *, remark: str = "") -> None:
        """Prints the progress if a line is due; `remark` is added to an outcome."""
        head = f"vidrestore: [{progress.number}/{progress.total}] {progress.name}"
        outcome = progress.outcome
        if outcome is not None:
            self._meter = PaceMeter()
        if outcome is not None and outcome.state in ("failed", "skipped"):
            print_message(f"{head}: {outcome.state}: {outcome.message}")
        elif self._quiet:
            return
        elif outcome is not None:
            print_message(f"{head}: {outcome.state}{remark}")
        elif progress.file is not None:
            pace = self._meter.update(progress.file)
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + LINE_EVERY_SECONDS
                print_message(f"{head}: {describe(progress.file, pace)}")
