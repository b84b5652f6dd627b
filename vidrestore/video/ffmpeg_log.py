"""Captures FFmpeg's log while a function runs: FFmpeg reports some facts only there."""

from __future__ import annotations

import threading
from collections.abc import Callable

import av.logging

_LEVEL = threading.Lock()


def capture_log(work: Callable[[], object], level: int = av.logging.INFO) -> str:
    """FFmpeg's log messages of this thread while `work` runs.

    The log level belongs to the whole process; it is set for the call and restored.
    """
    with _LEVEL:
        before, skips = av.logging.get_level(), av.logging.get_skip_repeated()
        av.logging.set_level(level)
        av.logging.set_skip_repeated(False)  # also messages that equal the last one
        try:
            # The outer capture keeps messages of other threads off the terminal.
            with av.logging.Capture(local=False), av.logging.Capture() as lines:
                work()
        finally:
            av.logging.set_level(before)
            av.logging.set_skip_repeated(skips)
    return " ".join(line[2] for line in lines)
