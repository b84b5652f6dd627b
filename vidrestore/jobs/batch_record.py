"""What a folder of outputs holds: which was made of what, and how. In a SQLite file in that folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from vidrestore.jobs.batch_inputs import BatchItem
from vidrestore.jobs.sqlite_file import Database

RECORD = ".vidrestore-batch"
"""The file's name."""
_TABLE = """
CREATE TABLE IF NOT EXISTS files ( name TEXT PRIMARY KEY, target TEXT NOT NULL, started_fingerprint TEXT,
input_fingerprint TEXT, size INTEGER, changed INTEGER );
"""


class BatchRecord:
    """The record of an output folder: what it holds was made of what. One run at a time has it."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._database = Database(out / RECORD, out, _TABLE)
        self._connection = self._database.connection

    def __enter__(self) -> BatchRecord:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def targets(self) -> dict[str, str]:
        """Outputs by the names of their inputs, within their folders."""
        with self._database.user_errors():
            return dict(self._connection.execute("SELECT name, target FROM files"))

    def state(self, item: BatchItem, input_fingerprint: str) -> Literal["new", "done", "stale", "foreign"]:
        """Whether the output is there, and made of this input with these settings."""
        if not item.target.exists():
            return "new"
        row = self._row(item)
        stat = item.target.stat()
        if row is None or row[1:] != (stat.st_size, stat.st_mtime_ns):
            return "foreign"
        return "done" if row[0] == input_fingerprint else "stale"

    def started_fingerprint(self, item: BatchItem) -> str | None:
        """Of what the output was last begun."""
        with self._database.user_errors():
            row = self._connection.execute(
                "SELECT started_fingerprint FROM files WHERE name = ?", (item.name,)
            ).fetchone()
        return None if row is None else row[0]

    def start(self, item: BatchItem, input_fingerprint: str) -> None:
        """Notes that the output will be made; what is there until then stays known."""
        target = item.target.relative_to(self._out).as_posix()
        with self._database.user_errors(), self._connection:
            self._connection.execute(
                "INSERT INTO files (name, target, started_fingerprint) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET started_fingerprint = excluded.started_fingerprint",
                (item.name, target, input_fingerprint),
            )

    def finish(self, item: BatchItem, input_fingerprint: str) -> None:
        stat = item.target.stat()
        with self._database.user_errors(), self._connection:
            self._connection.execute(
                "UPDATE files SET input_fingerprint = ?, size = ?, changed = ? WHERE name = ?",
                (input_fingerprint, stat.st_size, stat.st_mtime_ns, item.name),
            )

    def _row(self, item: BatchItem) -> tuple[str, int | None, int | None] | None:
        query = "SELECT input_fingerprint, size, changed FROM files WHERE name = ?"
        with self._database.user_errors():
            row: tuple[str, int | None, int | None] | None = self._connection.execute(
                query, (item.name,)
            ).fetchone()
        return row
