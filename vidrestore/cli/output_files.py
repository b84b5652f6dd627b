"""Reports that a command writes: whether they can be, and writing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidrestore.errors import OutputError


def check_output(path: Path, inputs: Sequence[Path]) -> None:
    """Raises OutputError where `path` is an input or cannot be written; before the work, which takes long."""
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise OutputError(f"{path} is an input itself; choose another name")
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give a file name in it")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; create it or choose another")


def write_text(path: Path, text: str) -> None:
    """Write a report. Raises OutputError."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
