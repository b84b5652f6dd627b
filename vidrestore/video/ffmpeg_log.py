"""What FFmpeg writes to its log while something is done: it tells some facts nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import av.logging

_LEVEL = threading.Lock()


def capture_log(work: Callable[[], object], level: int = av.logging.INFO) -> str:
    """What FFmpeg says in this thread while `work` is done; its level is the whole process's."""
    with _LEVEL:
        before, skips = av.logging.get_level(), av.logging.get_skip_repeated()
        av.logging.set_level(level)
        av.logging.set_skip_repeated(False)  # what was said last time is said again
        try:
            # The outer one keeps what other threads say meanwhile from being printed.
            with av.logging.Capture(local=False), av.logging.Capture() as lines:
                work()
        finally:
            av.logging.set_level(before)
            av.logging.set_skip_repeated(skips)
    return " ".join(line[2] for line in lines)
