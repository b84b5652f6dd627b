"""Moves a complete file to its final name in one step, without replacing a file by accident."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import kind_of

_UNSUPPORTED = {
    errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV,
}  # fmt: skip
"""Errors of systems that lack the call, and of file systems that lack hard links."""
_AT_CURRENT_FOLDER, _RENAME_NOREPLACE = -100, 1
_RENAME_EXCL = 4


def put_in_place(temporary: Path, target: Path, *, overwrite: bool) -> None:
    """Renames a complete file; after a power failure there is either the old file or the new one.

    Args:
        temporary: The file, on the same disk as `target`.
        target: Its new name.
        overwrite: Whether a regular file with that name may be replaced. Nothing else is ever replaced.

    Raises:
        OutputError: The name is taken, even if only since a microsecond ago.
        OSError: The disk is full, the folder does not exist, and so on.
    """
    sync_file(temporary)
    rename(temporary, target, overwrite=overwrite)
    sync_folder(target.parent)


def sync_file(path: Path) -> None:
    """Waits until the file's data are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk, where the system can do that for this folder.

    Some folders may be written to but not read, and some file systems sync files only.
    """
    if os.name != "posix":  # elsewhere folders cannot be opened and need not be synced
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def rename(source: Path, target: Path, *, overwrite: bool) -> None:
    """As `put_in_place`, for files that a power failure may destroy.

    Args:
        source: The file.
        target: Its new name.
        overwrite: Whether a regular file with that name may be replaced.
    """
    if overwrite:
        check_replaceable(target)
        source.replace(target)
    else:
        move_without_replacing(source, target)


def check_replaceable(target: Path) -> None:
    """Raises OutputError if `target` exists and is not a regular file."""
    kind = kind_of(target)
    if kind == "folder":
        raise OutputError(f"{target} is a folder; choose another name")
    if kind == "link":
        raise OutputError(f"{target} is a link; give the name of the file itself")
    if kind == "other":
        raise OutputError(f"{target} is a device or a pipe, not a file; choose a file name")


def move_without_replacing(source: Path, target: Path) -> None:
    """Renames a file; fails if the name is taken, without a moment in which another file could be replaced.

    Raises:
        OutputError: The name is taken.
        OSError: The folder does not exist, and so on.
    """
    try:
        if sys.platform == "win32":
            source.rename(target)  # Windows never replaces a file here
        elif not _rename_exclusively(source, target) and not _link_and_unlink(source, target):
            if kind_of(target) != "missing":
                raise FileExistsError
            source.rename(target)
    except FileExistsError as error:
        raise OutputError(f"{target} exists already; choose another name or add --overwrite") from error


def _rename_exclusively(source: Path, target: Path) -> bool:
    """Renames with the system's own call; returns False if the system or the file system lacks it."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(source), os.fsencode(target)
    if hasattr(library, "renameat2"):
        failed = library.renameat2(
            _AT_CURRENT_FOLDER, names[0], _AT_CURRENT_FOLDER, names[1], ctypes.c_uint(_RENAME_NOREPLACE)
        )
    elif hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, ctypes.c_uint(_RENAME_EXCL))
    else:
        return False
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


def _link_and_unlink(source: Path, target: Path) -> bool:
    """Renames with a hard link; returns False if the file system lacks hard links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        raise
    with suppress(OSError):  # the file has its new name, and that is what counts
        source.unlink()
    return True
