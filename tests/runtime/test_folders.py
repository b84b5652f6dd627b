"""Folders are created with their parents, and an error names the file that is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.errors import OutputError
from vidrestore.runtime.folders import make_folder


def test_a_folder_is_created_with_its_parents_and_may_exist(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    make_folder(folder)
    make_folder(folder)
    assert folder.is_dir()


@pytest.mark.parametrize("name", ["file", "file/b", "file/b/c"])
def test_a_file_in_the_way_is_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(OutputError) as error:
        make_folder(tmp_path / name)
    assert str(error.value) == f"cannot create the folder {tmp_path / name}: {file} is a file"


def test_another_reason_is_that_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot create the folder"):
        make_folder(tmp_path / ("x" * 1000))
