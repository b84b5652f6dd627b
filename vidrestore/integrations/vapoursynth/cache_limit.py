"""A lifted memory limit for frames that are requested within a frame request.

Beyond its limit of memory (`max_cache_size`), VapourSynth starts no request from outside before those that
run have ended. A request from within a filter's function counts as one from outside: both would wait for each
other forever. So the limit is lifted for the time of such a request; then VapourSynth shrinks its caches.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MORE_MIB = 65536


class CacheLimit:
    """The limit of a core; lifted while any thread is in `lifted`."""

    def __init__(self, core: Any) -> None:
        self._core = core

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """In this block VapourSynth starts requests, whatever memory it uses."""
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
"""By core: how many threads have lifted its limit. Several filters may share a core."""
_LIMITS: dict[int, int] = {}
