"""A SQLite file that one run has to itself.

It is locked as long as the run lasts; the lock is the system's and ends with its process, however that ends.
What is in it was written whole or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidrestore.errors import OutputError

_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")


class Database:
    """The file at `path`, made there if need be, and locked.

    `output` is what it is about, for messages. Raises OutputError where another run has it, it is damaged,
    or it cannot be written.
    """

    def __init__(self, path: Path, output: Path, tables: str) -> None:
        self._path, self._output = path, output
        with self.user_errors():
            self._open()
            self.connection.executescript(tables)

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def user_errors(self) -> Iterator[None]:
        """SQLite's errors as sentences."""
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(self._sentence(error)) from error

    def _open(self) -> None:
        while True:
            existed = _identity(self._path)
            self.connection = sqlite3.connect(self._path, timeout=0)
            # The lock is taken with the first writing and kept until the connection or the process ends.
            self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.connection.execute("PRAGMA synchronous = FULL")
            self.connection.execute("BEGIN EXCLUSIVE")
            self.connection.commit()
            # Whoever had it may have finished and removed it between opening and locking.
            if existed is None or existed == _identity(self._path):
                return
            self.connection.close()

    def _sentence(self, error: sqlite3.Error) -> str:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(_BUSY):
            return f"another vidrestore is working on {self._output}; wait for it or choose another name"
        if name.startswith("SQLITE_FULL"):
            return (
                f"cannot write {self._path}: the disk is full; free some space and run the same command again"
            )
        if name.startswith(_DAMAGED):
            return f"{self._path} is damaged; delete it to begin {self._output} anew"
        return f"cannot write {self._path} ({error}); see whether its folder is there and may be written to"


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
