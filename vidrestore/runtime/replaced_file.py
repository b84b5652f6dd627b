"""Replaces a file of the program's own in one step: it is always whole, also after an interrupt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """The path of a temporary file to write in the block; it becomes `path`, or is removed after an error.

    Args:
        path: The file, in a folder that this program writes.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
