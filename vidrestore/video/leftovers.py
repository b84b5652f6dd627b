"""What a killed run has left of its output: the next run to the same output removes it.

A run locks what it writes. The lock is the system's and ends with the run, however that ends.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path


class Lock:
    """Says that a file or folder is being written, until it is closed or its process ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = _locked(path)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def temporary_name(before: str, after: str) -> str:
    """Between these two, a name that no other run on this machine takes at the same time."""
    return f"{before}{os.getpid()}{after}"


def remove_leftovers(folder: Path, before: str, after: str) -> None:
    """Removes what bears a `temporary_name` and nobody writes any more. What resists stays."""
    name = re.compile(rf"{re.escape(before)}\d+{re.escape(after)}")
    with suppress(OSError):
        for path in [path for path in folder.iterdir() if name.fullmatch(path.name)]:
            with suppress(OSError):
                _remove(path)


def _remove(path: Path) -> None:
    if sys.platform == "win32":
        # There is no such lock, but a file that is open cannot be removed. A folder can.
        if path.is_file():
            path.unlink()
        return
    descriptor = _locked(path)
    if descriptor is None:
        return
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """A descriptor that holds the lock; None where another has it, or the file system knows none."""
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
