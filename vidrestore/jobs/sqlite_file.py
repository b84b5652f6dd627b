"""A SQLite file of this program that only one run at a time uses.

It is locked while the run lasts; the operating system releases the lock when the process ends. Transactions
are atomic. A file of another program is neither opened nor changed. Each row has a checksum, which shows that
a file was edited or damaged.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import is_own_kind, kind_of
from vidrestore.runtime.marked_folder import temporary_name
from vidrestore.runtime.put_in_place import put_in_place

_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_CANNOT_WRITE = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")
_MAGIC, _ROLLBACK_MAGIC = b"SQLite format 3\0", bytes.fromhex("d9d505f920a163d7")
_HEADER_BYTES, _APPLICATION_ID_AT = 100, 68


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The kind of a file."""

    application_id: int
    """The number in the file's header that marks this program's files."""
    tables: str
    """The SQL statements that create the tables."""


class Database:
    """Opens and locks the file at `path`, or creates it.

    Args:
        path: The path of the file.
        output: The output that it belongs to, for messages.
        schema: The kind of the file.

    Raises:
        OutputError: Another run uses it, it is damaged or another program's, or it cannot be written.
    """

    def __init__(self, path: Path, output: Path, schema: Schema) -> None:
        self._path, self._output, self._schema = path, output, schema
        with self.user_errors():
            self._open()
            try:
                self._check_contents()
            except BaseException:
                self.connection.close()
                raise

    def close(self) -> None:
        self.connection.close()

    def remove(self) -> None:
        """Closes and removes the file, and SQLite's rollback journal beside it."""
        self.close()
        for file in (self._path, _beside(self._path, "-journal")):
            with suppress(OSError):
                file.unlink(missing_ok=True)

    @contextmanager
    def user_errors(self) -> Iterator[None]:
        """While the block lasts, SQLite's errors become OutputErrors."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._user_error(error) from error
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error

    @contextmanager
    def read_errors(self) -> Iterator[None]:
        """Like `user_errors`; values that cannot be interpreted count as damage, too."""
        with self.user_errors():
            try:
                yield
            except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
                raise self.damaged() from error

    def damaged(self) -> OutputError:
        """The error for a file whose contents are not what this program wrote."""
        return OutputError(
            f"{self._path} is damaged or was not written by vidrestore; delete it or move it away, "
            f"then {self._output} is restored from the beginning"
        )

    def check_row(self, table: str, values: Sequence[object], digest: object) -> None:
        """Raises OutputError if the row's checksum does not match its values."""
        if digest != row_digest(table, values):
            raise self.damaged()

    def _open(self) -> None:
        while True:
            is_new = kind_of(self._path) == "missing"
            self._check_neighbours(is_new)
            if is_new:
                self._create()
            if not is_own_database(self._path, self._schema):
                raise self.damaged()
            existed = _identity(self._path)
            try:
                self._lock()
            except sqlite3.OperationalError:
                if _identity(self._path) is None:  # another run has just removed it
                    continue
                raise
            # Another run may also have removed it between opening and locking.
            if existed is not None and existed == _identity(self._path):
                return
            self.close()

    def _lock(self) -> None:
        self.connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)
        try:
            # The lock is taken by the first write and kept until the connection or the process ends.
            self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.connection.execute("PRAGMA synchronous = FULL")
            self.connection.execute("BEGIN EXCLUSIVE")
            self.connection.commit()
        except sqlite3.Error:
            self.connection.close()
            raise

    def _create(self) -> None:
        """Creates the file under a temporary name first, so that only a complete file has its final name."""
        new = self._path.with_name(temporary_name("", self._path.name, self._path.parent))
        try:
            with closing(sqlite3.connect(new)) as connection:
                connection.execute("PRAGMA journal_mode = MEMORY")
                connection.executescript(self._schema.tables)
                connection.execute(f"PRAGMA application_id = {self._schema.application_id}")
            with suppress(OutputError):  # another run was faster
                put_in_place(new, self._path, overwrite=False)
        finally:
            new.unlink(missing_ok=True)

    def _check_neighbours(self, is_new: bool) -> None:
        """SQLite would use and remove files with certain names beside this one, even if they are a user's."""
        for suffix in ("-journal", "-wal", "-shm"):
            path = _beside(self._path, suffix)
            is_own = suffix == "-journal" and not is_new and _is_rollback_journal(path)
            if kind_of(path) != "missing" and not is_own:
                raise OutputError(f"{path} has a name that vidrestore needs for its own file; move it away")

    def _check_contents(self) -> None:
        if self.connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
            raise self.damaged()
        with closing(sqlite3.connect(":memory:")) as wanted:
            wanted.executescript(self._schema.tables)
            if _objects(self.connection) != _objects(wanted):
                raise self.damaged()

    def _user_error(self, error: sqlite3.Error) -> OutputError:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(_BUSY):
            return OutputError(
                f"another vidrestore is working on {self._output}; wait for it or choose another name"
            )
        if name.startswith("SQLITE_FULL"):
            return OutputError(
                f"cannot write {self._path}: the disk is full; free some space and run the same command again"
            )
        if name.startswith(_CANNOT_WRITE):
            return OutputError(
                f"cannot write {self._path} ({error}); check that its folder exists and is writable"
            )
        return self.damaged()


def is_own_database(path: Path, schema: Schema) -> bool:
    """Whether the file itself, not a link to one, is of this kind."""
    if not is_own_kind(path, "file"):
        return False
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return False
    number = int.from_bytes(header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4], "big")
    return header.startswith(_MAGIC) and number == schema.application_id


def row_digest(table: str, values: Sequence[object]) -> int:
    """A checksum of a row's values, as SQLite returns them."""
    return zlib.crc32(repr((table, *values)).encode(errors="surrogateescape"))


def to_sql(text: str) -> str | bytes:
    """The text as SQLite can store it: file names that are not valid Unicode become bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(text)
    return text


def from_sql(value: object) -> str:
    """The inverse of `to_sql`.

    Raises:
        TypeError: The value is neither text nor bytes.
    """
    if isinstance(value, bytes):
        return os.fsdecode(value)
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is not text")
    return value


def _is_rollback_journal(path: Path) -> bool:
    """Whether it is the rollback journal that SQLite leaves when its process is killed."""
    if not is_own_kind(path, "file"):
        return False
    with path.open("rb") as file:
        head = file.read(len(_ROLLBACK_MAGIC))
    return head in (b"", bytes(len(_ROLLBACK_MAGIC)), _ROLLBACK_MAGIC)


def _objects(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    """All tables, indices, views and triggers, with the SQL that created them."""
    return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
