"""Notices that the files of an input are replaced or rewritten during a run.

An input is opened several times: to examine it, to decode it, to copy its other streams and metadata. A
result from two different files would be wrong without a sign of it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vidrestore.errors import InputError

_PIECE = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class InputState:
    """What identifies the content of an input's files."""

    size: int
    """Of all files [bytes]."""
    changed: int
    """Modification time, of several files the latest [ns]."""
    place: tuple[int, int] | None
    """Device and number of a single file. Some file systems give the same file another number later."""
    content: bytes
    """Digest of samples of a single file, or of the sizes and times of several ones."""
    head: bytes | None = field(default=None, repr=False, compare=False)
    """The first bytes of a single file, by which its format is recognised."""


def input_state(path: Path, pictures: Sequence[Path] = ()) -> InputState | None:
    """The current state of an input; None: it is no regular file, or cannot be read.

    Args:
        path: The file; for a sequence its pattern.
        pictures: The files of a sequence.
    """
    try:
        return _state_of_pictures(pictures) if pictures else _state_of_file(path)
    except OSError:
        return None  # opening it will report the error


def check_unchanged(path: Path, before: InputState | None, pictures: Sequence[Path] = ()) -> None:
    """Checks that an input is still the same. A file that was removed after it was read is no error.

    Args:
        path: As for `input_state`.
        before: The state at the start; None: it is not known, and nothing is checked.
        pictures: As for `input_state`.

    Raises:
        InputError: It was replaced or rewritten.
    """
    if before is None or (not pictures and not path.exists()):
        return
    if not _is_same(path, before, pictures):
        raise InputError(
            f"{path} was changed or replaced while it was read; wait until nothing else writes to it, then "
            "run the command again"
        )


def _is_same(path: Path, before: InputState, pictures: Sequence[Path]) -> bool:
    if not pictures:
        try:
            now = path.stat()
        except OSError:
            return True  # the disk or network is gone: reading reports it
        if (now.st_size, now.st_mtime_ns) != (before.size, before.changed):
            return False
        if (now.st_dev, now.st_ino) == before.place:
            return True
    after = input_state(path, pictures)
    return after is not None and (after.size, after.changed, after.content) == (
        before.size,
        before.changed,
        before.content,
    )


def _state_of_file(path: Path) -> InputState | None:
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        head = file.read(_PIECE)
        digest = hashlib.blake2b(head, digest_size=16)
        for position in (status.st_size // 2, max(status.st_size - _PIECE, 0)):
            file.seek(position)
            digest.update(file.read(_PIECE))
    return InputState(
        size=status.st_size,
        changed=status.st_mtime_ns,
        place=(status.st_dev, status.st_ino),
        content=digest.digest(),
        head=head,
    )


def _state_of_pictures(pictures: Sequence[Path]) -> InputState:
    digest, size, changed = hashlib.blake2b(digest_size=16), 0, 0
    for picture in pictures:
        status = picture.stat()
        digest.update(b"%d %d\n" % (status.st_size, status.st_mtime_ns))
        size, changed = size + status.st_size, max(changed, status.st_mtime_ns)
    return InputState(size=size, changed=changed, place=None, content=digest.digest())
