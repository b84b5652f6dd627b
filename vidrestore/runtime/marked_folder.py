"""Folders that this program makes beside an output and removes again, known by name and by a mark inside.

The mark is a small file that is locked as long as the folder is in use. The lock is the system's and ends
with its process, however that ends; a folder whose mark nobody holds was left by a process that was killed.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vidrestore.runtime import signals
from vidrestore.runtime.file_kinds import fitting_name, is_own_kind

signals.defer_interrupts_in(__file__)  # a folder without its mark would never be removed

MARK = "made-by-vidrestore.txt"
"""The name of the mark."""
_FIRST_LINE = b"vidrestore keeps unfinished work in this folder and removes it afterwards.\n"
_REST = b"While no vidrestore is running, the folder can be deleted.\n"
_TOKEN_BYTES = 8
_TOKEN = rf"[0-9a-f]{{{2 * _TOKEN_BYTES}}}"


class MarkedFolder:
    """A folder of this program's own, in use until `close` or `remove`.

    Args:
        path: Where it will be.
        is_own: Whether a name is one that this program gives to files in it; nothing else is ever removed.
    """

    def __init__(self, path: Path, is_own: Callable[[str], bool]) -> None:
        self.path = path
        self._is_own = is_own
        self._lock: int | None = None

    def create(self) -> None:
        """Makes the folder. Raises FileExistsError where something has its name, and OSError."""
        self.path.mkdir()
        try:
            self.mark()
        except OSError:
            with suppress(OSError):
                self.path.rmdir()
            raise

    def mark(self) -> None:
        """Marks the folder, which is there and empty."""
        descriptor = os.open(self.path / MARK, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        # Locked before anybody can take the mark for one.
        self._lock = descriptor if _lock(descriptor) else None
        os.write(descriptor, _FIRST_LINE + _REST)
        if self._lock is None:
            os.close(descriptor)

    def close(self) -> None:
        """The folder is not in use any more, and stays."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove(self) -> None:
        """Removes the folder with all in it that is this program's. What resists stays."""
        if is_marked(self.path):
            if sys.platform == "win32":
                self.close()  # no file that is open can be removed there
            _remove_contents(self.path, self._is_own)
        self.close()


def is_marked(folder: Path) -> bool:
    """Whether it is a folder, no link to one, with this program's mark in it."""
    mark = folder / MARK
    if not is_own_kind(folder, "folder") or not is_own_kind(mark, "file"):
        return False
    try:
        with mark.open("rb") as file:
            return file.readline(len(_FIRST_LINE) + 1) == _FIRST_LINE
    except OSError:
        return False


def temporary_name(before: str, name: str, folder: Path) -> str:
    """A name that no other run takes, here or elsewhere, such as `.film.partial-0123456789abcdef`."""
    return fitting_name(before, name, f".partial-{secrets.token_hex(_TOKEN_BYTES)}", folder)


def remove_stale_folders(parent: Path, before: str, name: str, is_own: Callable[[str], bool]) -> None:
    """Removes marked folders with a `temporary_name` of these that nobody uses. What resists stays."""
    placeholder = fitting_name(before, name, f".partial-{'0' * 2 * _TOKEN_BYTES}", parent)
    wanted = re.compile(re.escape(placeholder.removesuffix("0" * 2 * _TOKEN_BYTES)) + _TOKEN)
    with suppress(OSError):
        for path in [path for path in parent.iterdir() if wanted.fullmatch(path.name)]:
            if is_marked(path):
                remove_unused(path, is_own)


def remove_unused(folder: Path, is_own: Callable[[str], bool]) -> None:
    """Removes a marked folder, unless a process uses it. What resists stays."""
    if sys.platform == "win32":
        # There is no such lock, but the mark of a folder in use is open, and what is open cannot be removed.
        with suppress(OSError):
            (folder / MARK).unlink()
            _remove_contents(folder, is_own)
        return
    try:
        descriptor = os.open(folder / MARK, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        if _lock(descriptor):
            _remove_contents(folder, is_own)
    finally:
        os.close(descriptor)


def _remove_contents(folder: Path, is_own: Callable[[str], bool]) -> None:
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if path.name != MARK and is_own(path.name) and is_own_kind(path, "file"):
                with suppress(OSError):
                    path.unlink()
        if [path.name for path in folder.iterdir()] in ([MARK], []):
            (folder / MARK).unlink(missing_ok=True)
            folder.rmdir()


def _lock(descriptor: int) -> bool:
    """Whether the lock is this process's now; False also where the file system knows none."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
