"""Keeps small files that are dropped into the page, in the service's own folder and within limits."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from starlette.requests import ClientDisconnect

from vidrestore.errors import InputError, OutputError, UsageError
from vidrestore.runtime.put_in_place import put_in_place
from vidrestore.video.formats.suffixes import PICTURES, VIDEOS

FOLDER = "dropped"
MAX_FILE_BYTES = 256 * 2**20
MAX_BYTES = 2 * 2**30
"""Limit for all files together."""
MAX_FILES = 50
MAX_NAME = 120
"""Bytes of a name; longer names of outputs and temporary files are made from it."""


class DroppedFiles:
    """The dropped files."""

    def __init__(self, state: Path) -> None:
        """Creates the folder in `state`, the folder of the service. Raises OutputError."""
        self.folder = (state / FOLDER).resolve()
        self._arrived: dict[str, int] = {}
        """Bytes of each file that is arriving, by the name under which it is written."""
        self._left = 0
        """Bytes that the files that are arriving may still get together."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            for left in self.folder.glob(".*.new"):  # from a server that was killed
                left.unlink()
        except OSError as error:
            raise OutputError(
                f"the folder {self.folder} cannot be created: {error.strerror or error}"
            ) from error

    async def take(self, name: str, pieces: AsyncIterator[bytes]) -> Path:
        """Writes a file and returns its path. It never replaces an earlier file.

        Raises:
            UsageError: A limit is exceeded, or the name is not that of a video or picture.
            InputError: The file did not arrive completely.
            OutputError: It cannot be written.
        """
        name = _checked_name(name)
        self._left = MAX_BYTES - self._size_of_all()
        new = self.folder / f".{os.getpid()}-{id(pieces)}.new"
        self._arrived[new.name] = 0
        is_kept = False
        try:
            with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                async for piece in pieces:
                    self._arrived[new.name] += len(piece)
                    self._left -= len(piece)
                    if self._arrived[new.name] > MAX_FILE_BYTES or self._left < 0:
                        raise UsageError(
                            f"dropped files have at most {MAX_FILE_BYTES >> 20} MiB each and "
                            f"{MAX_BYTES >> 20} MiB together; start vidrestore web with its folder instead"
                        )
                    file.write(piece)
            target = self._place(new, name)
            is_kept = True
            return target
        except ClientDisconnect as error:
            raise InputError("the file did not arrive completely") from error
        except OSError as error:
            raise OutputError(f"cannot write into {self.folder}: {error.strerror or error}") from error
        finally:
            size = self._arrived.pop(new.name)
            self._left += 0 if is_kept else size
            with suppress(OSError):
                new.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Removes a file. Raises UsageError if there is no such file."""
        if Path(name).name != name or name in ("", ".", ".."):
            raise UsageError("a name must be without folders")
        try:
            (self.folder / name).unlink()
        except (OSError, ValueError) as error:
            raise UsageError(f"there is no dropped file {name[:40]!r}") from error

    def _size_of_all(self) -> int:
        """Bytes of all files, with those that are arriving. Raises UsageError if there are too many."""
        sizes = [
            self._arrived.get(entry.name, entry.stat(follow_symlinks=False).st_size)
            for entry in os.scandir(self.folder)
        ]
        if len(sizes) >= MAX_FILES:
            raise UsageError(f"there are {MAX_FILES} dropped files already; remove some of them")
        return sum(sizes)

    def _place(self, new: Path, name: str) -> Path:
        """Renames the file, with a number if the name is in use."""
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - text, not a path
        for number in range(1, MAX_FILES + 2):
            target = self.folder / (name if number == 1 else f"{stem}-{number}{suffix}")
            try:
                put_in_place(new, target, overwrite=False)
            except OutputError:
                continue
            return target
        raise OutputError(f"there are too many files called {name}")


def _checked_name(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    is_plain = Path(name).name == name and all(unicodedata.category(char)[0] != "C" for char in name)
    if not is_plain or name.startswith(".") or "\\" in name or len(name.encode()) > MAX_NAME:
        raise UsageError(f"a name must have at most {MAX_NAME} bytes and no folders or control characters")
    if Path(name).suffix.lower() not in PICTURES | VIDEOS:
        raise UsageError(f"{name} does not have the name of a video or picture")
    return name
