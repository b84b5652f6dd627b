"""What lies at a path, without following links: this program touches regular files of its own alone."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal

from vidrestore.errors import UsageError

FileKind = Literal["missing", "file", "folder", "link", "other"]
_MAX_NAME_BYTES = 255
_HASH_DIGITS = 16


def kind_of(path: Path) -> FileKind:
    """What is at `path` itself; `other` is a device, a FIFO or a socket.

    Raises:
        OSError: the system does not let it be looked at, or its name is too long.
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
    """Whether `path` itself is of that kind; False where the system does not let it be looked at."""
    try:
        return kind_of(path) == kind
    except OSError:
        return False


def leads_to_file(path: Path) -> bool:
    """Whether there is a regular file at `path`, by links or not. False where it cannot be looked at."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to one file, by links or not. False where one of them leads nowhere."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def absolute(path: Path) -> Path:
    """The path from the root.

    Raises:
        UsageError: the working directory, from which `path` starts, is gone.
    """
    try:
        return path.absolute()
    except OSError as error:
        raise UsageError(
            f"{path} is relative to the working directory, which is gone; change to another directory"
        ) from error


def location(path: Path) -> str:
    """A text that is the same for all ways to write the path of a file, whether it is there or not."""
    return str(path.parent.resolve() / path.name).casefold()


def expand_home(path: str | Path) -> Path:
    """The path with `~` replaced by the home directory; as it is where there is no such directory."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def fitting_name(before: str, name: str, after: str, folder: Path) -> str:
    """`before`, `name` and `after` together, as long as the file system of `folder` takes that.

    A longer `name` is cut, and a hash of it takes the place of what is left out: other names stay others.
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
