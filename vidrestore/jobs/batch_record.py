"""What a folder of outputs holds: which was made of what, and how. In a SQLite file in that folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from vidrestore.jobs.batch_inputs import Item
from vidrestore.jobs.sqlite_file import Database

RECORD = ".vidrestore-batch"
"""The file's name."""
_TABLE = """
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, target TEXT NOT NULL, begun TEXT, made_of TEXT, size INTEGER, changed INTEGER
);
"""


class Made:
    """The record of an output folder: what it holds was made of what. One run at a time has it."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._database = Database(out / RECORD, out, _TABLE)
        self._connection = self._database.connection

    def __enter__(self) -> Made:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def targets(self) -> dict[str, str]:
        """Outputs by the names of their inputs, within their folders."""
        with self._database.user_errors():
            return dict(self._connection.execute("SELECT name, target FROM files"))

    def state(self, item: Item, made_of: str) -> Literal["new", "done", "stale", "foreign"]:
        """Whether the output is there, and made of this input with these settings."""
        if not item.target.exists():
            return "new"
        row = self._row(item)
        stat = item.target.stat()
        if row is None or row[1:] != (stat.st_size, stat.st_mtime_ns):
            return "foreign"
        return "done" if row[0] == made_of else "stale"

    def begun(self, item: Item) -> str | None:
        """Of what the output was last begun."""
        with self._database.user_errors():
            row = self._connection.execute("SELECT begun FROM files WHERE name = ?", (item.name,)).fetchone()
        return None if row is None else row[0]

    def begin(self, item: Item, made_of: str) -> None:
        """Notes that the output will be made; what is there until then stays known."""
        target = item.target.relative_to(self._out).as_posix()
        with self._database.user_errors(), self._connection:
            self._connection.execute(
                "INSERT INTO files (name, target, begun) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET begun = excluded.begun",
                (item.name, target, made_of),
            )

    def finish(self, item: Item, made_of: str) -> None:
        stat = item.target.stat()
        with self._database.user_errors(), self._connection:
            self._connection.execute(
                "UPDATE files SET made_of = ?, size = ?, changed = ? WHERE name = ?",
                (made_of, stat.st_size, stat.st_mtime_ns, item.name),
            )

    def _row(self, item: Item) -> tuple[str, int | None, int | None] | None:
        query = "SELECT made_of, size, changed FROM files WHERE name = ?"
        with self._database.user_errors():
            row: tuple[str, int | None, int | None] | None = self._connection.execute(
                query, (item.name,)
            ).fetchone()
        return row
