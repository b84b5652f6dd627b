"""A progress bar in a notebook, for calls of the Python interface that have no `on_progress`."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from vidrestore.pace import FRAME_STAGES, STAGES, Pace, PaceMeter
from vidrestore.types import Progress, ProgressCallback

_EVERY_SECONDS = 0.25


def progress_bar() -> ProgressCallback | None:
    """Shows a bar below the cell and keeps it up to date; None outside of notebooks."""
    module: Any = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if getattr(shell, "kernel", None) is None:  # a terminal, or no IPython at all
        return None
    from IPython.display import HTML, display

    handle = display(HTML(""), display_id=True)
    return _Bar(lambda text: handle.update(HTML(text)))


class _Bar:
    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._next = 0.0
        self._stage: str = ""
        self._meter = PaceMeter()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        pace = self._meter.update(progress)
        is_last = progress.frames == progress.total
        if now < self._next and not is_last and progress.stage == self._stage:
            return
        self._next, self._stage = now + _EVERY_SECONDS, progress.stage
        self._show(bar_html(progress, pace))


def bar_html(progress: Progress, pace: Pace) -> str:
    """The bar and its words, as HTML."""
    total = progress.total
    value = f'value="{progress.frames}" max="{total}"' if total else ""
    words = STAGES[progress.stage]
    if progress.stage in FRAME_STAGES:
        words += f": {progress.frames}{f'/{total}' if total else ''} frames, {progress.faces} faces"
    if pace.seconds_left is not None:
        words += f", about {timedelta(seconds=round(pace.seconds_left))} left"
    return f"<progress {value} style='width: 20em'></progress> {html.escape(words)}"
