"""What the C library keeps of the memory that tensors free. Of glibc on Linux; elsewhere nothing is done."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

CHECK_EVERY_FRAMES = 25
"""After so many frames it is looked how much the process has."""
LEARNING_FRAMES = 500
"""Frames after which the most that was taken is as much as there should be."""
MAX_GROWTH = 1.15
"""Times what is in use that may be kept until then: a tenth comes and goes with each batch."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Of glibc's malloc.h."""


def keep_freed_memory() -> None:
    """Have this process keep the memory that it frees, for its next tensors.

    A network's large tensors come and go. glibc hands each back to the system and gets the next one page by
    page, which takes several times as long as the arithmetic on it.
    """
    mallopt = _glibc_function("mallopt")
    if mallopt is None:
        return
    mallopt(_M_MMAP_THRESHOLD, 2**30)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def use_single_arena() -> None:
    """Have all threads of this process take memory from one heap; to be called before there are others.

    glibc gives new threads heaps of their own, eight times as many as there are cores: each fills up and
    empties at its own time, and together they frayed by a fifth of all memory within a minute.
    """
    mallopt = _glibc_function("mallopt")
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, 1)


def trim_heap() -> None:
    """Give the system what lies free between what is in use: some 50 ms, and getting back what is needed."""
    trim = _glibc_function("malloc_trim")
    if trim is not None:
        trim(0)


def resident_bytes() -> int:
    """Of this process; 0 where the system does not say so in a file."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class HeapTrimmer:
    """Holds what is kept to what the first frames took, however long it goes on.

    Results outlive what they were computed from and lie in between: what is kept frays, and the most it had
    taken was a tenth more after a quarter of an hour than after two minutes. Handing all back every so often
    is no cure: often enough to help, it took a twentieth of the time.
    """

    def __init__(
        self, resident: Callable[[], int] = resident_bytes, trim: Callable[[], None] = trim_heap
    ) -> None:
        self._resident, self._trim = resident, trim
        self._steps = self._peak = self._limit = 0

    def begin(self) -> None:
        """Before the first frame: what an earlier run left would lie in between from the start."""
        self._trim()

    def step(self) -> None:
        """After each frame."""
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
        if needed > self._limit and self._steps > LEARNING_FRAMES:  # larger pictures, more faces: learn anew
            self._steps = self._peak = self._limit = 0
        if self._steps < LEARNING_FRAMES:
            self._limit = int(MAX_GROWTH * needed)


@cache
def heap_trimmer() -> HeapTrimmer:
    """The process's one: what a segment of a film took holds for the next."""
    return HeapTrimmer()


def _glibc_function(name: str) -> Callable[..., int] | None:
    """Its function of that name; None with another system or another C library."""
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, TypeError, AttributeError):
        return None
    return function
