"""A folder of pictures as input, and the folder of the outputs that has the same names."""

from __future__ import annotations

from pathlib import Path

from vidrestore.errors import InputError, OutputError
from vidrestore.video.formats.suffixes import PICTURES


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder and its subfolders, by name, without hidden ones.

    Raises:
        InputError: There is no picture, or the folder cannot be read.
    """
    try:
        found = sorted(path for path in folder.rglob("*") if _is_picture(path))
    except OSError as error:
        raise InputError(f"cannot read the folder {folder}: {error.strerror or error}") from error
    if not found:
        raise InputError(f"there are no pictures in {folder}; of videos give the files themselves")
    return found


def check_output_folder(source: Path, target: Path) -> None:
    """Raises OutputError if the folder `target` cannot take the outputs of the pictures in `source`."""
    if target.resolve() == source.resolve() or source.resolve() in target.resolve().parents:
        raise OutputError(f"{target} lies in the input's folder; choose another")
    if target.exists() and not target.is_dir():
        raise OutputError(f"{target} is a file, but {source} is a folder; choose another name")


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES and not path.name.startswith(".") and path.is_file()
