"""Signals that ask a run to end: each becomes one KeyboardInterrupt, which is never lost.

Python raises KeyboardInterrupt in whatever Python code the main thread runs next. Where that was called from
C, by a library that reads a file through it, the library drops the exception: the run goes on as if nobody
had asked it to end. So what is called that way is spared, and the interrupt comes a moment later.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

RETRY_SECONDS = 0.01
PATIENCE_SECONDS = 5.0
"""Further signals are ignored for as long, so that what the first one has interrupted is cleaned up."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU")
_IMPORT = "<frozen importlib._bootstrap>"
"""Imports are not interrupted: a module in C++ that is interrupted while it loads aborts the process."""
_PACKAGE = str(Path(__file__).parents[1])
_deferring_files: set[str] = set()
_depth = 0
_is_patient = False
_interrupted_at: float | None = None


def defer_interrupts_in(file: str) -> None:
    """Let no interrupt into functions of the source file `file`: its `__file__`."""
    _deferring_files.add(file)


def raise_or_defer(number: int, frame: FrameType | None) -> None:
    """A handler of signals: raises KeyboardInterrupt, now or as soon as nothing spared is running."""
    is_inside_ours = True
    while frame is not None:
        file = frame.f_code.co_filename
        if file in _deferring_files or (is_inside_ours and file == _IMPORT):
            timer = threading.Timer(RETRY_SECONDS, os.kill, (os.getpid(), number))
            timer.daemon = True
            timer.start()
            return
        is_inside_ours = is_inside_ours and not file.startswith(_PACKAGE)
        frame = frame.f_back
    global _interrupted_at
    now = time.monotonic()
    if _is_patient and _interrupted_at is not None and now - _interrupted_at < PATIENCE_SECONDS:
        return
    _interrupted_at = now
    raise KeyboardInterrupt


def was_interrupted() -> bool:
    """Whether a signal has asked the current `interrupting_signals` to end."""
    return _interrupted_at is not None


@contextmanager
def interrupting_signals() -> Iterator[None]:
    """While the block lasts, whatever asks a program to end raises KeyboardInterrupt in the main thread.

    By Ctrl-C and Ctrl-backslash, by a terminal that closes, schedulers, `timeout` and limits of time. A
    signal that is ignored, as by nohup, stays so.
    """
    global _interrupted_at, _is_patient
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {n: handler for n in numbers if (handler := signal.getsignal(n)) in usual}
    _interrupted_at, _is_patient = None, True
    for number in before:
        signal.signal(number, raise_or_defer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _interrupted_at, _is_patient = None, False


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """While the block lasts, Ctrl-C is handled by `raise_or_defer`, where Python's own handler would have
    been."""
    global _depth
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    if _depth == 0 and signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # the program that uses this one has a way of its own
        return
    _depth += 1
    signal.signal(signal.SIGINT, raise_or_defer)
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0 and signal.getsignal(signal.SIGINT) is raise_or_defer:
            signal.signal(signal.SIGINT, signal.default_int_handler)
