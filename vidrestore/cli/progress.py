"""Progress on stderr: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from vidrestore.cli.terminal import print_message

if TYPE_CHECKING:
    from vidrestore.types import Progress, ProgressCallback

LINE_EVERY_SECONDS = 5.0


@contextmanager
def show_progress(*, quiet: bool = False) -> Iterator[ProgressCallback | None]:
    """A callback that shows frames, faces, rate and time left; None when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as callback:
            yield callback
    else:
        yield _lines(time.monotonic)


@contextmanager
def show_download(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A callback of bytes so far and in all; shown on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def describe(progress: Progress) -> str:
    """One line, such as `120/300 frames, 118 faces, 12.5 frames/s, 0:00:14 left`."""
    frames = f"{progress.frames}/{progress.total}" if progress.total else f"{progress.frames}"
    earlier = f" ({progress.resumed_frames} of an earlier run)" if progress.resumed_frames else ""
    line = f"{frames} frames{earlier}, {progress.faces} faces, {_rate(progress):.1f} frames/s"
    left = _seconds_left(progress)
    return line if left is None else f"{line}, {timedelta(seconds=round(left))} left"


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True)) as bar:
        task = bar.add_task("opening", total=None)
        yield lambda progress: bar.update(
            task,
            description=describe(progress),
            completed=progress.frames,
            # The container's count is an estimate: the bar never runs past its end.
            total=None if progress.total is None else max(progress.total, progress.frames),
        )


def _lines(clock: Callable[[], float]) -> ProgressCallback:
    due = clock() + LINE_EVERY_SECONDS
    resumed_shown = False

    def show(progress: Progress) -> None:
        nonlocal due, resumed_shown
        is_first_report, resumed_shown = progress.resumed_frames and not resumed_shown, True
        if clock() >= due or is_first_report:
            due = clock() + LINE_EVERY_SECONDS
            print_message(f"vidrestore: {describe(progress)}")

    return show


def _rate(progress: Progress) -> float:
    """Frames a second of this run."""
    return (progress.frames - progress.resumed_frames) / progress.seconds if progress.seconds > 0 else 0.0


def _seconds_left(progress: Progress) -> float | None:
    rate = _rate(progress)
    if progress.total is None or rate <= 0:
        return None
    return max(progress.total - progress.frames, 0) / rate
