"""The record of a folder of restored media: the inputs of each file, so that unchanged ones are not restored
again."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import kind_of
from vidrestore.runtime.put_in_place import put_in_place

RECORD = ".vidrestore-edit.json"
"""Name of the record's file."""
MADE_BY = "vidrestore edit"
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFile:
    """The record of one restored medium."""

    made_of: str
    """A hash of everything that the result depends on: source, frames and settings."""
    frames: int
    faces: int
    first_number: int | None
    """Number of the first picture of a sequence; None for a file."""
    size: int
    changed: int
    """The file's modification time [ns]."""


class MediaRecord:
    """The record of the restored media in `folder`. Raises OutputError where it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / RECORD
        self._files = self._read()

    def knows(self, name: str) -> bool:
        """Whether an earlier run wrote the file of that name, and it has not changed since."""
        entry = self._files.get(name)
        return entry is not None and _state_of(self._folder / name) == (entry.size, entry.changed)

    def find(self, name: str, made_of: str) -> RestoredFile | None:
        """The record of the file of that name, if it exists unchanged and has the inputs `made_of`."""
        entry = self._files.get(name)
        return entry if entry is not None and entry.made_of == made_of and self.knows(name) else None

    def add(
        self, name: str, made_of: str, *, frames: int, faces: int, first_number: int | None = None
    ) -> RestoredFile:
        """Record a finished file. Raises OutputError where the record cannot be written."""
        size, changed = _state_of(self._folder / name)
        entry = RestoredFile(
            made_of=made_of,
            frames=frames,
            faces=faces,
            first_number=first_number,
            size=size,
            changed=changed,
        )
        self._files[name] = entry
        self._write()
        return entry

    def _read(self) -> dict[str, RestoredFile]:
        if kind_of(self._path) == "missing":
            return {}
        try:
            with self._path.open("rb") as file:
                loaded: Any = json.loads(file.read(_MAX_BYTES))
            if loaded["made_by"] != MADE_BY:
                raise ValueError
            return {str(name): RestoredFile(**entry) for name, entry in loaded["files"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise OutputError(
                f"{self._path} is damaged or no record of vidrestore edit; move it away, or choose another "
                "folder"
            ) from error

    def _write(self) -> None:
        files = {name: asdict(entry) for name, entry in self._files.items()}
        temporary = self._path.with_suffix(".new")
        try:
            temporary.write_text(json.dumps({"made_by": MADE_BY, "files": files}, indent=1), "utf-8")
            put_in_place(temporary, self._path, overwrite=True)
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error


def digest(values: dict[str, str]) -> str:
    """A hash of the values, as hexadecimal text."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _state_of(path: Path) -> tuple[int, int]:
    """Size and modification time of a file; of a folder, the sum and the latest; missing: -1, -1."""
    try:
        files = [Path(entry) for entry in os.scandir(path)] if path.is_dir() else [path]
        states = [file.stat() for file in files]
    except OSError:
        return -1, -1
    return sum(state.st_size for state in states), max((state.st_mtime_ns for state in states), default=0)
