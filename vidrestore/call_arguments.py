"""Arguments of the Python interface that are no settings: paths, times, callbacks; refused in a sentence."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import SupportsFloat

from vidrestore.errors import UsageError


def path_of(value: object, name: str) -> Path:
    """The path.

    Args:
        value: The caller's argument.
        name: Its name.

    Raises:
        UsageError: It is no path of text, or no file can have that name.
    """
    text = fspath(value) if isinstance(value, (str, PathLike)) else None
    if not isinstance(text, str):
        raise UsageError(f"{name} must be a path, got {value!r}")
    if "\0" in text:
        raise UsageError(f"{name} {text!r} has a null character, which no file name can have")
    return Path(text)


def times_of(at: object) -> list[float]:
    """The times [s] of one time or several.

    Raises:
        UsageError: One of them is no finite number, or before the first frame.
    """
    several: list[object] = list(at) if isinstance(at, Iterable) and not isinstance(at, str) else [at]
    times = []
    for time in several:
        if isinstance(time, bool) or not isinstance(time, SupportsFloat) or not math.isfinite(float(time)):
            raise UsageError(f"at must be seconds from the first frame, one number or several, got {time!r}")
        if float(time) < 0:
            raise UsageError(f"at must be at least 0 seconds, the time of the first frame, got {time!r}")
        times.append(float(time))
    return times


def check_callbacks(on_progress: Callable[..., object] | None, cancel: threading.Event | None) -> None:
    """Refuses what could only fail in the middle of the work.

    Raises:
        UsageError: `on_progress` cannot be called, or `cancel` cannot be set.
    """
    if on_progress is not None and not callable(on_progress):
        raise UsageError(f"on_progress must be a function of a Progress, got {on_progress!r}")
    if cancel is not None and not callable(getattr(cancel, "is_set", None)):
        raise UsageError(f"cancel must be a threading.Event, got {cancel!r}")
