"""Checks that the disk has enough free space for the rest of the output."""

from __future__ import annotations

import shutil
from pathlib import Path

from vidrestore.errors import OutputError

LEAST_FREE = 64 * 2**20
"""Bytes that always stay free."""


def check_free_space(folder: Path, output: Path, expected: int) -> None:
    """Raises OutputError if `expected` bytes do not fit.

    Args:
        folder: A folder on the disk.
        output: The output, for the message.
        expected: Number of bytes to write.
    """
    _check(folder, output, max(expected, LEAST_FREE))


def check_remaining_space(folder: Path, output: Path, *, written: int, done: int, total: int) -> None:
    """Raises OutputError if the rest does not fit, judged by the size of the first `done` of `total` frames.

    While the parts are joined, they and the whole output need space at the same time.

    Args:
        folder: The folder of the parts.
        output: The output, for the message.
        written: Number of bytes written so far.
        done: Number of frames written so far.
        total: Number of frames of the output.
    """
    each = written / done
    _check(folder, output, round(each * (total - done) + each * total))


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of a folder. Raises OutputError if the folder does not exist any more."""
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise OutputError(
            f"the folder {folder} is gone; run the same command again once it is back"
        ) from error


def _check(folder: Path, output: Path, needed: int) -> None:
    free = free_bytes(folder)
    if free < needed:
        raise OutputError(
            f"the disk of {output} has {readable_size(free)} left, and about {readable_size(needed)} are "
            "needed; free some space and run the same command again"
        )


def readable_size(size: int) -> str:
    """Such as 1.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
