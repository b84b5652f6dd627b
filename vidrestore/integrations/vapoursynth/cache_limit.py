"""Raises VapourSynth's memory limit while a filter requests frames, which would otherwise deadlock.

Beyond its memory limit (`max_cache_size`), VapourSynth starts no new request before the running ones have
ended. A request from a filter's Python function counts as a new one, so both would wait for each other
forever. The limit is raised during such a request; afterwards VapourSynth shrinks its caches.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MORE_MIB = 65536


class CacheLimit:
    """The memory limit of a core; raised while any thread is in `lifted`."""

    def __init__(self, core: Any) -> None:
        self._core = core

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """A context in which VapourSynth starts requests at any use of memory."""
        with _LOCK:
            if not _LIFTED.get(id(self._core)):
                _LIMITS[id(self._core)] = self._core.max_cache_size
                self._core.max_cache_size += _MORE_MIB
            _LIFTED[id(self._core)] = _LIFTED.get(id(self._core), 0) + 1
        try:
            yield
        finally:
            with _LOCK:
                _LIFTED[id(self._core)] -= 1
                if not _LIFTED[id(self._core)]:
                    self._core.max_cache_size = _LIMITS.pop(id(self._core))


_LOCK = threading.Lock()
_LIFTED: dict[int, int] = {}
"""Number of threads in `lifted`, by core. Several filters may share a core."""
_LIMITS: dict[int, int] = {}
