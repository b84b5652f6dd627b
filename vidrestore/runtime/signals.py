"""Ctrl-C where it would be lost.

Python raises KeyboardInterrupt in whatever Python code the main thread runs next. Where that was called from
C, by a library that reads a file through it, the library drops the exception: the run goes on as if nobody
had asked it to end. So what is called that way is spared, and the interrupt comes a moment later.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

RETRY_SECONDS = 0.01
_deferring_files: set[str] = set()
_depth = 0


def defer_interrupts_in(file: str) -> None:
    """Let no interrupt into functions of the source file `file`: its `__file__`."""
    _deferring_files.add(file)


def raise_or_defer(number: int, frame: FrameType | None) -> None:
    """A handler of signals: raises KeyboardInterrupt, now or as soon as nothing spared is running."""
    while frame is not None:
        if frame.f_code.co_filename in _deferring_files:
            timer = threading.Timer(RETRY_SECONDS, os.kill, (os.getpid(), number))
            timer.daemon = True
            timer.start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


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
