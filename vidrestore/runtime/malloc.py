"""Controls how much freed memory the C library keeps: glibc on Linux. Elsewhere the functions do nothing."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

CHECK_EVERY_FRAMES = 25
"""Number of frames between two checks of the process's memory."""
LEARNING_FRAMES = 500
"""Number of frames after which the peak so far becomes the limit."""
MAX_GROWTH = 1.15
"""Allowed factor over the memory in use until then: each batch takes and frees a tenth."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of glibc's malloc.h."""


def keep_freed_memory() -> None:
    """Make this process keep the memory that it frees, for its next tensors.

    By default glibc returns each large tensor to the system and requests the next one page by page, which
    takes several times as long as the arithmetic on it.
    """
    mallopt = _glibc_function("mallopt")
    if mallopt is None:
        return
    mallopt(_M_MMAP_THRESHOLD, 2**30)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def use_single_arena() -> None:
    """Make all threads of this process allocate from one heap; call it before there are other threads.

    By default glibc has up to eight heaps per core, one for each thread. Their fragmentation grew resident
    memory by 20 % within a minute.
    """
    mallopt = _glibc_function("mallopt")
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, 1)


def trim_heap() -> None:
    """Return free heap memory to the system: takes about 50 ms, and memory must be paged in again."""
    trim = _glibc_function("malloc_trim")
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """Resident memory of this process; 0 where there is no /proc."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class HeapTrimmer:
    """Limits the process's memory to the peak of the first frames, for runs of any length.

    Results live longer than the tensors they were computed from, so the heap becomes fragmented: the peak
    after 15 minutes was 10 % higher than after two. Trimming at fixed intervals is no solution: often enough
    to help, it took 5 % of the time.
    """

    def __init__(
        self, resident: Callable[[], int] = resident_bytes, trim: Callable[[], None] = trim_heap
    ) -> None:
        self._resident, self._trim = resident, trim
        self._steps = self._peak = self._limit = 0

    def begin(self) -> None:
        """Call before the first frame: releases what an earlier run left in the heap."""
        self._trim()

    def step(self) -> None:
        """Call after each frame."""
        self._steps += 1
        if self._steps % CHECK_EVERY_FRAMES:
            return
        now = self._resident()
        self._peak = max(self._peak, now)
        if self._steps == LEARNING_FRAMES:
            self._limit = self._peak
        if now <= self._limit:
            return
        self._trim()
        needed = self._resident()
        if needed > self._limit and self._steps > LEARNING_FRAMES:  # larger pictures or more faces
            self._steps = self._peak = self._limit = 0
        if self._steps < LEARNING_FRAMES:
            self._limit = int(MAX_GROWTH * needed)


@cache
def heap_trimmer() -> HeapTrimmer:
    """The only trimmer of this process: the limit from one segment applies to the next."""
    return HeapTrimmer()


def _glibc_function(name: str) -> Callable[..., int] | None:
    """The C library's function of that name; None with another system or C library."""
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return None
    return function
