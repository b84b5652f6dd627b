"""Access to files in chosen folders only: no `..`, no links, and no race between check and opening."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import UsageError

MAX_ENTRIES = 2000
"""Largest number of listed entries of a folder."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class OutsideError(UsageError):
    """The path is not in the chosen folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file or folder in a listing."""

    name: str
    is_folder: bool
    bytes: int


class FileRoots:
    """The folders that the service may read and write in."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Checks the folders.

        Raises:
            UsageError: One of them is not a folder.
        """
        for folder in folders:
            if not folder.is_dir():
                raise UsageError(f"{folder} is not a folder; choose an existing one")
            if not _is_unicode(str(folder.resolve())):
                raise UsageError(f"the name of the folder {folder} must be valid Unicode; rename it")
        self.folders = tuple(dict.fromkeys(folder.resolve() for folder in folders))

    def check(self, text: str) -> Path:
        """The path, if it is in one of the folders and has no link in it. Raises OutsideError."""
        path = Path(text)
        if not _is_unicode(text):
            raise OutsideError("a path must be valid Unicode; rename the file")
        if "\0" in text or not path.is_absolute() or ".." in path.parts:
            raise OutsideError("a path must be absolute and without ..")
        root = next((folder for folder in self.folders if path.is_relative_to(folder)), None)
        if root is None:
            raise OutsideError(f"{path} is not in the folders with which the service was started")
        return path

    def open_file(self, text: str) -> int:
        """A descriptor of a regular file; the caller closes it. Raises OutsideError or OSError."""
        path = self.check(text)
        with self._folder(path.parent) as folder:
            try:
                descriptor = os.open(path.name, _FILE, dir_fd=folder)
            except OSError as error:
                raise OutsideError(f"{path} cannot be opened: {error.strerror or error}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OutsideError(f"{path} is not a regular file")
        return descriptor

    def check_file(self, text: str) -> Path:
        """The path, if it is a regular file in the folders. Raises OutsideError."""
        os.close(self.open_file(text))
        return Path(text)

    def check_target(self, text: str) -> Path:
        """The path, if a file may be written there: its folder exists, and it is not a link or folder."""
        path = self.check(text)
        with self._folder(path.parent) as folder:
            try:
                mode = os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode
            except FileNotFoundError:
                return path
            except OSError as error:
                raise OutsideError(f"{path} cannot be written: {error.strerror or error}") from error
        if not stat.S_ISREG(mode):
            raise OutsideError(f"{path} is not a regular file")
        return path

    def is_missing(self, text: str) -> bool:
        """Whether the folder exists but not the file. Raises OutsideError."""
        path = self.check(text)
        with self._folder(path.parent) as folder:
            try:
                os.stat(path.name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                return True
            except OSError as error:
                raise OutsideError(f"{path} cannot be opened: {error.strerror or error}") from error
        return False

    @contextmanager
    def open_folder(self, path: Path) -> Iterator[Path]:
        """The folder of a file, under a path that stays valid if the folder moves. Raises OutsideError."""
        with self._folder(self.check(str(path)).parent) as descriptor:
            yield Path(f"/proc/self/fd/{descriptor}")

    def entries(self, text: str) -> list[Entry]:
        """The folders and then the files in a folder, without links and hidden files."""
        found: list[Entry] = []
        with self._folder(self.check(text)) as folder, os.scandir(folder) as entries:
            for entry in entries:
                is_hidden = entry.name.startswith(".") or not _is_unicode(entry.name)
                if is_hidden or entry.is_symlink() or len(found) >= MAX_ENTRIES:
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # it was removed meanwhile
                if stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode):
                    is_folder = stat.S_ISDIR(status.st_mode)
                    found.append(Entry(name=entry.name, is_folder=is_folder, bytes=status.st_size))
        return sorted(found, key=lambda each: (not each.is_folder, each.name.casefold()))

    @contextmanager
    def _folder(self, path: Path) -> Iterator[int]:
        """A descriptor of a folder. Each part is opened from its parent, so no part can be replaced."""
        root = next((folder for folder in self.folders if path.is_relative_to(folder)), None)
        if root is None:
            raise OutsideError(f"{path} is not in the folders with which the service was started")
        try:
            descriptor = os.open(root, _FOLDER)
        except OSError as error:
            raise OutsideError(f"{root} cannot be opened: {error.strerror or error}") from error
        try:
            try:
                for part in path.relative_to(root).parts:
                    below = os.open(part, _FOLDER, dir_fd=descriptor)
                    os.close(descriptor)
                    descriptor = below
            except OSError as error:
                raise OutsideError(f"{path} cannot be opened: {error.strerror or error}") from error
            yield descriptor
        finally:
            os.close(descriptor)


def _is_unicode(text: str) -> bool:
    """Whether it can be sent to the page: file names may be any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
