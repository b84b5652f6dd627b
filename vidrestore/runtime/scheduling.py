"""Keeps threads from becoming real-time threads.

SVT-AV1, started by root, makes the thread that starts it and all of its own threads real-time threads of the
highest priority (SCHED_FIFO, 99), and threads that are started later inherit that. If as many of them spin as
the machine has cores, no other thread ever runs, not even those that they wait for, and the machine stands
still. In containers, programs often run as root.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TASKS = Path("/proc/self/task")


@contextmanager
def keep_scheduling() -> Iterator[None]:
    """Gives all threads the scheduling that they had at the start, and new threads that of the caller.

    Where threads cannot be listed, as outside of Linux, it does nothing.
    """
    if sys.platform != "linux" or not _TASKS.is_dir():
        yield
        return
    before = _scheduling_of_threads()
    own = before[threading.get_native_id()]
    try:
        yield
    finally:
        for thread, found in _scheduling_of_threads().items():
            policy, priority = before.get(thread, own)
            if found != (policy, priority):
                with suppress(OSError):  # the thread has ended, or the user may not change it
                    os.sched_setscheduler(thread, policy, os.sched_param(priority))


def _scheduling_of_threads() -> dict[int, tuple[int, int]]:
    """Policy and priority of each thread of this process, by its native identifier."""
    found = {}
    for task in _TASKS.iterdir():
        thread = int(task.name)
        with suppress(OSError):  # the thread has ended
            found[thread] = (os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority)
    return found
