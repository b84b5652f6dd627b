"""Creates folders for outputs."""

from __future__ import annotations

from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import leads_to_file


def make_folder(folder: Path) -> None:
    """Creates a folder and its parents, unless they exist.

    Raises:
        OutputError: It cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        file = next((path for path in (folder, *folder.parents) if leads_to_file(path)), None)
        why = error.strerror or error if file is None else f"{file} is a file"
        raise OutputError(f"cannot create the folder {folder}: {why}") from error
