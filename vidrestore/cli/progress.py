"""Progress on standard error: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from vidrestore.cli.terminal import print_message
from vidrestore.cli.wording import count
from vidrestore.pace import FRAME_STAGES, STAGES, Pace, PaceMeter

if TYPE_CHECKING:
    from vidrestore.types import Progress, ProgressCallback

LINE_EVERY_SECONDS = 5.0


@contextmanager
def show_progress(*, quiet: bool = False) -> Iterator[ProgressCallback | None]:
    """A callback that shows the stage, frames, faces, rate and time left; None when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as callback:
            yield callback
    else:
        yield _lines(time.monotonic)


@contextmanager
def show_download(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A callback for the bytes so far and in total; shown on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def describe(progress: Progress, pace: Pace) -> str:
    """One line, such as `restoring: 120/300 frames, 118 faces, 12.5 frames/s, 0:00:14 left`."""
    stage = STAGES[progress.stage]
    if progress.stage not in FRAME_STAGES:
        return stage
    frames = (
        f"{progress.frames}/{progress.total} frames" if progress.total else count(progress.frames, "frame")
    )
    earlier = f" ({progress.resumed_frames} of an earlier run)" if progress.resumed_frames else ""
    line = f"{stage}: {frames}{earlier}"
    if progress.faces:
        line += f", {count(progress.faces, 'face')}"
    if pace.rate is None:
        return f"{line}, estimating the time left" if progress.total else line
    line += f", {pace.rate:.1f} frames/s"
    return (
        line if pace.seconds_left is None else f"{line}, {timedelta(seconds=round(pace.seconds_left))} left"
    )


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(STAGES["opening"], total=None)
        meter = PaceMeter()
        yield lambda progress: bar.update(
            task,
            description=describe(progress, meter.update(progress)),
            completed=progress.frames,
            # The container's count is an estimate, so the bar may need to grow.
            total=None if progress.total is None else max(progress.total, progress.frames),
        )


def _lines(clock: Callable[[], float]) -> ProgressCallback:
    due = clock() + LINE_EVERY_SECONDS
    resumed_shown = False
    meter = PaceMeter()

    def show(progress: Progress) -> None:
        nonlocal due, resumed_shown
        pace = meter.update(progress)
        is_first_report = bool(progress.resumed_frames) and not resumed_shown
        resumed_shown = resumed_shown or is_first_report
        if clock() >= due or is_first_report:
            due = clock() + LINE_EVERY_SECONDS
            print_message(f"vidrestore: {describe(progress, pace)}")

    return show
