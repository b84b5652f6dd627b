"""Files by path, within chosen folders: no `..`, no link out of them, no race between looking and opening."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import UsageError

MAX_ENTRIES = 2000
"""Of a folder that are listed."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class OutsideError(UsageError):
    """A path that is not within the chosen folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a folder holds."""

    name: str
    is_folder: bool
    bytes: int


class FileRoots:
    """The folders that the service may read and write in."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Raises UsageError where one of them is no folder."""
        for folder in folders:
            if not folder.is_dir():
                raise UsageError(f"{folder} is no folder; choose one that exists")
            if not _is_unicode(str(folder.resolve())):
                raise UsageError(f"the name of the folder {folder} must be valid Unicode; rename it")
        self.folders = tuple(dict.fromkeys(folder.resolve() for folder in folders))

    def check(self, text: str) -> Path:
        """The path, which lies within a root and leads over no link. Raises OutsideError."""
        path = Path(text)
        if not _is_unicode(text):
            raise OutsideError("a path must be valid Unicode; rename the file")
        if "\0" in text or not path.is_absolute() or ".." in path.parts:
            raise OutsideError("a path is given in full, without ..")
        root = next((folder for folder in self.folders if path.is_relative_to(folder)), None)
        if root is None:
            raise OutsideError(f"{path} is not in a folder that was chosen when the service was started")
        return path

    def open_file(self, text: str) -> int:
        """A descriptor of the regular file, which the caller closes. Raises OutsideError, OSError."""
        path = self.check(text)
        with self._folder(path.parent) as folder:
            try:
                descriptor = os.open(path.name, _FILE, dir_fd=folder)
            except OSError as error:
                raise OutsideError(f"{path} cannot be opened: {error.strerror or error}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OutsideError(f"{path} is no regular file")
        return descriptor

    def check_file(self, text: str) -> Path:
        """The path of a regular file. Raises OutsideError."""
        os.close(self.open_file(text))
        return Path(text)

    def check_target(self, text: str) -> Path:
        """A path that a new file may get: its folder exists, and itself is no link or folder."""
        path = self.check(text)
        with self._folder(path.parent) as folder:
            try:
                mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
            except FileNotFoundError:
                return path
            except OSError as error:
                raise OutsideError(f"{path} cannot be written: {error.strerror or error}") from error
        if not stat.S_ISREG(mode):
            raise OutsideError(f"{path} is no regular file")
        return path

    def entries(self, text: str) -> list[Entry]:
        """What is in a folder: folders first, then files, without links and hidden ones."""
        found: list[Entry] = []
        with self._folder(self.check(text)) as folder, os.scandir(folder) as entries:
            for entry in entries:
                is_hidden = entry.name.startswith(".") or not _is_unicode(entry.name)
                if is_hidden or entry.is_symlink() or len(found) >= MAX_ENTRIES:
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # removed in the meantime
                if stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode):
                    is_folder = stat.S_ISDIR(status.st_mode)
                    found.append(Entry(name=entry.name, is_folder=is_folder, bytes=status.st_size))
        return sorted(found, key=lambda each: (not each.is_folder, each.name.casefold()))

    @contextmanager
    def _folder(self, path: Path) -> Iterator[int]:
        """A descriptor of a folder, opened part by part from its root, so that nothing can be swapped."""
        root = next((folder for folder in self.folders if path.is_relative_to(folder)), None)
        if root is None:
            raise OutsideError(f"{path} is not in a folder that was chosen when the service was started")
        try:
            descriptor = os.open(root, _FOLDER)
        except OSError as error:
            raise OutsideError(f"{root} cannot be opened: {error.strerror or error}") from error
        try:
            for part in path.relative_to(root).parts:
                below = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        except OSError as error:
            raise OutsideError(f"{path} cannot be opened: {error.strerror or error}") from error
        finally:
            os.close(descriptor)


def _is_unicode(text: str) -> bool:
    """Whether it can be sent to the page: file names may be any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
