"""Turns signals that request the end of a run into KeyboardInterrupt, which is never lost.

Python raises KeyboardInterrupt in whatever Python code the main thread runs next. If a C library called that
code, for example to read from a file, the library ignores the exception and the run continues. So the
interrupt is deferred while such code runs, and is raised a moment later.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

RETRY_SECONDS = 0.01
PATIENCE_SECONDS = 5.0
"""Further signals are ignored for this time, so that the interrupted run can clean up."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU")
_IMPORT = "<frozen importlib._bootstrap>"
"""Imports are not interrupted: a C++ module that is interrupted while it loads aborts the process."""
_PACKAGE = str(Path(__file__).parents[1])
_deferring_files: set[str] = set()
_depth = 0
_is_patient = False
_interrupted_at: float | None = None


def defer_interrupts_in(file: str) -> None:
    """Defers interrupts while functions of the source file `file` run; pass the module's `__file__`."""
    _deferring_files.add(file)


def raise_or_defer(number: int, frame: FrameType | None) -> None:
    """A signal handler: raises KeyboardInterrupt, now or as soon as no code runs that defers interrupts."""
    is_inside_ours = True
    while frame is not None:
        file = frame.f_code.co_filename
        if file in _deferring_files or (is_inside_ours and file == _IMPORT):
            timer = threading.Timer(RETRY_SECONDS, _send, (number,))
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
    """Whether a signal has arrived in the current `interrupting_signals` block."""
    return _interrupted_at is not None


def _send_lost_interrupt(lost: sys.UnraisableHookArgs) -> None:
    """For `sys.unraisablehook`: sends an interrupt again that a destructor or a C callback has lost."""
    global _interrupted_at
    if issubclass(lost.exc_type, KeyboardInterrupt):
        _interrupted_at = None
        timer = threading.Timer(RETRY_SECONDS, _send, (signal.SIGINT,))
        timer.daemon = True
        timer.start()
    else:
        sys.__unraisablehook__(lost)


def _send(number: int) -> None:
    if os.name == "nt":
        signal.raise_signal(number)  # os.kill would end the process at once
    else:
        os.kill(os.getpid(), number)


@contextmanager
def interrupting_signals() -> Iterator[None]:
    """In this block, every signal that requests the end raises KeyboardInterrupt in the main thread.

    Such signals come from Ctrl-C, Ctrl-backslash, a closed terminal, schedulers, `timeout` and CPU time
    limits. A signal that is ignored, for example by nohup, stays ignored.
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
    usual_hook, sys.unraisablehook = sys.unraisablehook, _send_lost_interrupt
    try:
        yield
    finally:
        sys.unraisablehook = usual_hook
        for number, handler in before.items():
            signal.signal(number, handler)
        _interrupted_at, _is_patient = None, False


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """In this block, `raise_or_defer` handles Ctrl-C in place of Python's default handler."""
    global _depth
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can set handlers
        return
    if _depth == 0 and signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # the host program has its own handler
        return
    _depth += 1
    signal.signal(signal.SIGINT, raise_or_defer)
    try:
        yield
    finally:
        _depth -= 1
        if _depth == 0 and signal.getsignal(signal.SIGINT) is raise_or_defer:
            signal.signal(signal.SIGINT, signal.default_int_handler)
