"""A SQLite file in the output folder that records the input and the settings of each output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from vidrestore.jobs.batch_inputs import BatchItem
from vidrestore.jobs.sqlite_file import Database, Schema, from_sql, row_digest, to_sql
from vidrestore.runtime.file_kinds import is_own_kind

RECORD = ".vidrestore-batch"
"""The file's name."""
_SCHEMA = Schema(
    application_id=0x76724232,
    tables="""
CREATE TABLE files (
    name TEXT PRIMARY KEY, target TEXT NOT NULL, started_fingerprint TEXT,
    input_fingerprint TEXT, size INTEGER, changed INTEGER, digest INTEGER
);
""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """The record of one output."""

    target: str
    """Its path relative to the folder, with forward slashes."""
    started: str | None = None
    """Fingerprint of the run that last started it."""
    finished: str | None = None
    """Fingerprint of the run that finished it."""
    size: int | None = None
    changed: int | None = None
    """Its modification time [ns] when it was finished."""


class BatchRecord:
    """The record of an output folder. Only one run at a time uses it.

    Raises:
        OutputError: Another run uses it, it is damaged or another program's, or it cannot be written.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._database = Database(out / RECORD, out, _SCHEMA)
        self._connection = self._database.connection
        try:
            self._entries = self._read()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> BatchRecord:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def targets(self) -> dict[str, str]:
        """Relative paths of outputs, by those of their inputs."""
        return {name: entry.target for name, entry in self._entries.items()}

    def state(self, item: BatchItem, input_fingerprint: str) -> Literal["new", "done", "stale", "foreign"]:
        """Whether the output exists, and was made from this input with these settings."""
        if is_own_kind(item.target, "missing"):
            return "new"
        entry = self._entries.get(item.name)
        stat = item.target.lstat()
        if entry is None or (entry.size, entry.changed) != (stat.st_size, stat.st_mtime_ns):
            return "foreign"
        return "done" if entry.finished == input_fingerprint else "stale"

    def started_fingerprint(self, item: BatchItem) -> str | None:
        """Fingerprint of the run that last started the output."""
        entry = self._entries.get(item.name)
        return None if entry is None else entry.started

    def start(self, item: BatchItem, input_fingerprint: str) -> None:
        """Records that work on the output starts; what is known of an existing output is kept."""
        target = item.target.relative_to(self._out).as_posix()
        entry = self._entries.get(item.name, _Entry(target=target))
        self._put(item.name, replace(entry, target=target, started=input_fingerprint))

    def finish(self, item: BatchItem, input_fingerprint: str) -> None:
        """Records that the output is complete."""
        stat = item.target.stat()
        entry = replace(
            self._entries[item.name],
            finished=input_fingerprint,
            size=stat.st_size,
            changed=stat.st_mtime_ns,
        )
        self._put(item.name, entry)

    def _read(self) -> dict[str, _Entry]:
        found: dict[str, _Entry] = {}
        with self._database.read_errors():
            for *values, digest in self._connection.execute("SELECT * FROM files").fetchall():
                self._database.check_row("files", values, digest)
                name, target, started, finished, size, changed = values
                entry = _Entry(
                    target=from_sql(target), started=started, finished=finished, size=size, changed=changed
                )
                if not _is_inside(entry.target):
                    raise self._database.damaged()
                found[from_sql(name)] = entry
        return found

    def _put(self, name: str, entry: _Entry) -> None:
        row = (
            to_sql(name), to_sql(entry.target), entry.started, entry.finished, entry.size, entry.changed
        )  # fmt: skip
        with self._database.user_errors(), self._connection:
            self._connection.execute(
                "REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, row_digest("files", row))
            )
        self._entries[name] = entry


def _is_inside(target: str) -> bool:
    """Whether the path stays inside the folder."""
    path = PurePosixPath(target)
    return bool(path.name) and not path.is_absolute() and ".." not in path.parts
