"""The kind of a file at a path, without following links: this program changes only its own regular files."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from vidrestore.errors import UsageError

FileKind = Literal["missing", "file", "folder", "link", "other"]
_MAX_NAME_BYTES = 255
_HASH_DIGITS = 16


def kind_of(path: Path) -> FileKind:
    """The kind of the file at `path` itself; `other` is a device, a FIFO or a socket.

    Raises:
        OSError: There is no permission to examine it, or its name is too long.
    """
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"


def is_own_kind(path: Path, kind: FileKind) -> bool:
    """Whether `path` itself is of that kind; False if it cannot be examined."""
    try:
        return kind_of(path) == kind
    except OSError:
        return False


def leads_to_file(path: Path) -> bool:
    """Whether `path` is a regular file or a link to one; False if it cannot be examined."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to the same file, possibly through links; False if one does not exist."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def identity(path: Path) -> tuple[int, int] | None:
    """Device and number of the file that `path` leads to; None if it cannot be examined."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def first_shared(written: Iterable[Path], read: Iterable[Path]) -> Path | None:
    """The first of the paths `written` that leads to the same file as one of `read`; None: there is none.

    Every spelling of a path is recognised, through links and where case does not matter.
    """
    places = {place: path for path in written if (place := identity(path)) is not None}
    if not places:
        return None
    return next((places[place] for path in read if (place := identity(path)) in places), None)


def absolute(path: Path) -> Path:
    """The absolute path.

    Raises:
        UsageError: `path` is relative, and the working directory does not exist any more.
    """
    try:
        return path.absolute()
    except OSError as error:
        raise UsageError(
            f"{path} is relative to the working directory, which is gone; change to another directory"
        ) from error


def location(path: Path) -> str:
    """The same text for all spellings of a file's path, whether the file exists or not."""
    return str(path.parent.resolve() / path.name).casefold()


def expand_home(path: str | Path) -> Path:
    """The path with `~` replaced by the home directory; unchanged if there is no home directory."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def fitting_name(before: str, name: str, after: str, folder: Path) -> str:
    """`before`, `name` and `after` joined, shortened to the length that the file system of `folder` allows.

    The end of a `name` that is too long is replaced by a hash, so that different names stay different.

    Args:
        before: The start of the name.
        name: The middle, which may be shortened.
        after: The end of the name.
        folder: The folder of the file.
    """
    spare = _max_name_bytes(folder) - len(os.fsencode(before + after))
    encoded = os.fsencode(name)
    if len(encoded) <= spare:
        return f"{before}{name}{after}"
    digits = hashlib.sha256(encoded).hexdigest()[:_HASH_DIGITS]
    head = encoded[: max(spare - len(digits) - 1, 0)].decode(errors="ignore")
    return f"{before}{head}~{digits}{after}"


def _max_name_bytes(folder: Path) -> int:
    if hasattr(os, "pathconf"):
        with suppress(OSError, ValueError):
            return min(os.pathconf(folder, "PC_NAME_MAX"), _MAX_NAME_BYTES)
    return _MAX_NAME_BYTES
