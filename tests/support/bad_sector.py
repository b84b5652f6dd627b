"""A bad sector in a file: reading fails there, for a real process or for this one."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from io import FileIO
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_suffix(".c")
_SECTOR = 4096


def make_preload(folder: Path) -> Path:
    """Builds the library that `bad_sector` loads into processes; skips the test if that is not possible."""
    if sys.platform != "linux":
        pytest.skip("a process's reads are made to fail by LD_PRELOAD, as Linux has it")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("a process's reads are made to fail by a few lines of C, and there is no compiler")
    library = folder / "bad_sector.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, _SOURCE, "-ldl"], check=True)
    return library


def bad_sector(preload: Path, path: Path, share: float, *, only_for: str = "") -> dict[str, str]:
    """What to add to a process's environment for a sector of `path` to be bad, at `share` of its length.

    `only_for`: a text in the command lines of the processes that meet it.
    """
    first = _begin(path, share)
    return {
        "LD_PRELOAD": str(preload),
        "BAD_FILE": str(path),
        "BAD_FIRST": str(first),
        "BAD_STOP": str(first + _SECTOR),
        "BAD_FOR": only_for,
    }


def make_bad_here(patch: pytest.MonkeyPatch, path: Path, share: float, *, times: int | None = None) -> None:
    """The same for the input's files in this process, at most so many `times`."""
    first, stat = _begin(path, share), path.stat()
    left = [times]

    class Bad(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            at = self.tell()
            if size is None or size < 0 or not os.path.samestat(os.fstat(self.fileno()), stat):
                return super().read(size)
            if first <= at < first + _SECTOR and left[0] != 0:
                left[0] = None if left[0] is None else left[0] - 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read(min(size, first - at) if at < first else size)

    patch.setattr("vidrestore.video.reading.file_io.FileIO", Bad)


def _begin(path: Path, share: float) -> int:
    return int(path.stat().st_size * share) // _SECTOR * _SECTOR
