"""The record of a folder of restored media: what each was made of, so that it need not be made again."""

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
"""The file's name."""
MADE_BY = "vidrestore edit"
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFile:
    """What is known of a restored medium."""

    made_of: str
    """Of its source, frames and settings: a hash of all that the result depends on."""
    frames: int
    faces: int
    first_number: int | None
    """Of a sequence of pictures."""
    size: int
    changed: int
    """Its time of change [ns]."""


class MediaRecord:
    """What the restored media in `folder` were made of. Raises OutputError where it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / RECORD
        self._files = self._read()

    def knows(self, name: str) -> bool:
        """Whether the file of that name was made by an earlier run and is as that left it."""
        entry = self._files.get(name)
        return entry is not None and _state_of(self._folder / name) == (entry.size, entry.changed)

    def find(self, name: str, made_of: str) -> RestoredFile | None:
        """What is known of the file of that name, if it is there and made of the same."""
        entry = self._files.get(name)
        return entry if entry is not None and entry.made_of == made_of and self.knows(name) else None

    def add(
        self, name: str, made_of: str, *, frames: int, faces: int, first_number: int | None = None
    ) -> RestoredFile:
        """Notes that the file of that name is done. Raises OutputError where that cannot be written."""
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
    """A short text that is another one for other values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _state_of(path: Path) -> tuple[int, int]:
    """Size and time of change; of a folder those of what is in it together."""
    try:
        files = [Path(entry) for entry in os.scandir(path)] if path.is_dir() else [path]
        states = [file.stat() for file in files]
    except OSError:
        return -1, -1
    return sum(state.st_size for state in states), max((state.st_mtime_ns for state in states), default=0)
