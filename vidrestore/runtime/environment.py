"""Environment variables that a C library reads, set only while it reads them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()
"""The environment is the whole process's; two blocks at once would restore each other's values."""


@contextmanager
def default_variable(name: str, value: str) -> Iterator[None]:
    """While the block lasts, the variable has this value, unless the user has set another one."""
    with _LOCK:
        if name in os.environ:
            yield
            return
        os.environ[name] = value
        try:
            yield
        finally:
            os.environ.pop(name, None)
