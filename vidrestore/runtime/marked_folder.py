"""Temporary folders beside an output, recognised by their name and by a marker file inside.

The marker is a small file that is locked while the folder is in use. The operating system releases the lock
when the process ends, also when it is killed. So a folder whose marker is not locked is left over and can be
removed.
"""

from __future__ import annotations

import atexit
import errno
import os
import re
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vidrestore.runtime import signals
from vidrestore.runtime.file_kinds import fitting_name, is_own_kind

signals.defer_interrupts_in(__file__)  # a folder without its marker would never be removed

MARK = "made-by-vidrestore.txt"
"""The name of the marker file."""
_FIRST_LINE = b"vidrestore keeps unfinished work in this folder and removes it afterwards.\n"
_REST = b"While no vidrestore is running, the folder can be deleted.\n"
_TOKEN_BYTES = 8
_TOKEN = rf"[0-9a-f]{{{2 * _TOKEN_BYTES}}}"

_in_use: dict[MarkedFolder, int] = {}
"""Temporary folders, with the process that created them."""


class MarkedFolder:
    """A temporary folder, in use until `close` or `remove`.

    Args:
        path: The path of the folder.
        is_own: Whether a file name in the folder is one of this program's; other files are never removed.
        is_kept: Whether it stays where the process ends without `remove`, for the next run.
    """

    def __init__(self, path: Path, is_own: Callable[[str], bool], *, is_kept: bool = False) -> None:
        self.path = path
        self._is_own, self._is_kept = is_own, is_kept
        self._lock: int | None = None

    def create(self) -> None:
        """Creates the folder and its marker.

        Raises:
            FileExistsError: The name is taken.
            OSError: The folder cannot be created.
        """
        self.path.mkdir()
        try:
            self.mark()
            if not self._is_kept:
                _in_use[self] = os.getpid()
        except OSError:
            self.close()
            with suppress(OSError):
                (self.path / MARK).unlink(missing_ok=True)
                self.path.rmdir()
            raise

    def mark(self) -> None:
        """Creates the marker in the folder, which exists and is empty."""
        descriptor = os.open(self.path / MARK, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        # Locked before it has its content: until then no other process takes it for a marker.
        self._lock = descriptor if _lock(descriptor) else None
        try:
            if os.write(descriptor, _FIRST_LINE + _REST) < len(_FIRST_LINE + _REST):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            if self._lock is None:
                os.close(descriptor)

    def close(self) -> None:
        """Ends the use of the folder without removing it."""
        _in_use.pop(self, None)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove(self) -> None:
        """Removes the folder and this program's files in it. Errors are ignored."""
        if is_marked(self.path):
            if sys.platform == "win32":
                self.close()  # Windows cannot remove an open file
            _remove_contents(self.path, self._is_own)
        self.close()


@atexit.register
def remove_abandoned() -> None:
    """Removes temporary folders of this process that are still in use.

    An interrupt may arrive before the first line of the function that would remove its folder.
    """
    for folder, process in list(_in_use.items()):
        if process == os.getpid():
            folder.remove()


def is_marked(folder: Path) -> bool:
    """Whether it is a folder, not a link to one, with this program's marker in it."""
    mark = folder / MARK
    if not is_own_kind(folder, "folder") or not is_own_kind(mark, "file"):
        return False
    try:
        with mark.open("rb") as file:
            return file.readline(len(_FIRST_LINE) + 1) == _FIRST_LINE
    except OSError:
        return False


def temporary_name(before: str, name: str, folder: Path) -> str:
    """A name that no other run uses, on any computer, such as `.film.partial-0123456789abcdef`.

    Args:
        before: The start of the name.
        name: The name of the output, which may be shortened.
        folder: The folder in which it will be.
    """
    return fitting_name(before, name, f".partial-{secrets.token_hex(_TOKEN_BYTES)}", folder)


def remove_stale_folders(parent: Path, before: str, name: str, is_own: Callable[[str], bool]) -> None:
    """Removes unused marked folders in `parent` with a `temporary_name` of these. Errors are ignored.

    Args:
        parent: The folder to search.
        before: As for `temporary_name`.
        name: As for `temporary_name`.
        is_own: As for `MarkedFolder`.
    """
    placeholder = fitting_name(before, name, f".partial-{'0' * 2 * _TOKEN_BYTES}", parent)
    wanted = re.compile(re.escape(placeholder.removesuffix("0" * 2 * _TOKEN_BYTES)) + _TOKEN)
    with suppress(OSError):
        for path in [path for path in parent.iterdir() if wanted.fullmatch(path.name)]:
            if is_marked(path):
                remove_unused(path, is_own)


def remove_unused(folder: Path, is_own: Callable[[str], bool]) -> None:
    """Removes a marked folder, unless a process uses it. Errors are ignored."""
    if sys.platform == "win32":
        # Windows has no such lock, but the marker of a folder in use is open, and cannot be removed.
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
    """Locks the file; returns False if another process holds the lock or the file system has no locks."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
