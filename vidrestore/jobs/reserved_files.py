"""Checks that a batch does not write to the files that its caller will write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import is_same_file, location


def check_reserved(reserved: Sequence[Path], written: Sequence[Path]) -> None:
    """Checks that the caller's files are not outputs of the batch.

    Args:
        reserved: Files that the caller will write.
        written: Files that the batch will write.

    Raises:
        OutputError: One file is in both.
    """
    locations = {location(path) for path in written} if reserved else set()
    for path in reserved:
        if location(path) in locations or any(is_same_file(path, other) for other in written):
            raise OutputError(f"{path} is an output of this batch; choose another name")
