"""Creates and checks the folders of a batch's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import is_same_file, location


def make_folder(folder: Path) -> None:
    """Creates the folder of an output, with its parents.

    Raises:
        OutputError: It cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(f"cannot create the folder {folder}: a file has its name") from error
    except OSError as error:
        raise OutputError(f"cannot create the folder {folder}: {error.strerror or error}") from error


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
