"""Temporary folders of a killed run are removed by the next run, and nothing else, whatever its name."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from stat import S_ISDIR
from typing import Any

import pytest

from tests.support.user_files import USERS_OWN, snapshot
from vidrestore.errors import OutputError
from vidrestore.runtime import put_in_place
from vidrestore.runtime.marked_folder import MARK
from vidrestore.video.writing import atomic_output
from vidrestore.video.writing.atomic_output import make_target

TOKEN = "0123456789abcdef"


def abandoned(output: Path) -> Path:
    """The temporary folder that a killed run to `output` has left, with its file."""
    target = make_target(output)
    target.begin()
    name = target.temporary.name
    (target.temporary.parent / (name % 1 if "%" in name else name)).write_bytes(b"half of it")
    target._folder.close()  # type: ignore[attr-defined]
    return target.temporary.parent


@pytest.mark.parametrize("name", ["out.mkv", "%03d.png", "y" * 246 + ".mp4"])
def test_temporary_files_of_a_killed_run_are_removed_by_the_next(tmp_path: Path, name: str) -> None:
    left = abandoned(tmp_path / name)
    assert len(list(left.iterdir())) == 2
    target = make_target(tmp_path / name)
    target.begin()
    assert not left.exists()
    target.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_stays(tmp_path: Path) -> None:
    first, second = make_target(tmp_path / "out.mkv"), make_target(tmp_path / "out.mkv")
    first.begin()
    second.begin()
    assert first.temporary.parent.is_dir()
    assert second.temporary.parent != first.temporary.parent
    first.remove()
    second.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", USERS_OWN)
@pytest.mark.parametrize("name", ["out.mkv", "%03d.png"])
def test_a_users_file_with_the_name_of_a_temporary_folder_is_kept(
    tmp_path: Path, kind: str, name: str
) -> None:
    USERS_OWN[kind](tmp_path / f".{Path(name).stem.replace('%', '')}.partial-{TOKEN}")
    before = snapshot(tmp_path)
    target = make_target(tmp_path / name)
    target.begin()
    target.remove()
    assert snapshot(tmp_path) == before


def test_a_users_file_in_a_folder_that_was_left_keeps_the_folder(tmp_path: Path) -> None:
    left = abandoned(tmp_path / "out.mkv")
    (left / "notes.txt").write_bytes(b"why it was killed")
    target = make_target(tmp_path / "out.mkv")
    target.begin()
    target.remove()
    assert {path.name for path in left.iterdir()} == {MARK, "notes.txt"}


def put(output: Path, *, overwrite: bool, count: int = 1) -> None:
    """Writes an output to its end."""
    target = make_target(output, overwrite=overwrite)
    target.begin()
    try:
        for number in range(1, count + 1):
            name = target.temporary.name
            path = target.temporary.with_name(name % number if "%" in name else name)
            path.write_bytes(b"made %d" % number)
        target.commit()
    finally:
        target.remove()


@pytest.mark.parametrize("kind", USERS_OWN)
@pytest.mark.parametrize("overwrite", [False, True])
def test_only_a_regular_file_is_replaced_and_only_if_requested(
    tmp_path: Path, kind: str, overwrite: bool
) -> None:
    """Even where it appeared while the work went on: nobody looks before the file is put in place."""
    output = tmp_path / "out.mkv"
    USERS_OWN[kind](output)
    before = snapshot(tmp_path)
    if overwrite and kind in ("a file", "an empty file"):
        put(output, overwrite=True)
        assert output.read_bytes() == b"made 1"
        return
    with pytest.raises(OutputError, match=r"exists already|is a (folder|link|device)"):
        put(output, overwrite=overwrite)
    assert snapshot(tmp_path) == before


def test_a_sequence_is_put_in_place_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "3.png").write_bytes(b"the user's own")
    before = snapshot(tmp_path)
    with pytest.raises(OutputError, match=r"3\.png exists already"):
        put(tmp_path / "%d.png", overwrite=False, count=4)
    assert snapshot(tmp_path) == before
    put(tmp_path / "%d.png", overwrite=True, count=4)
    assert {path.name: path.read_bytes()[-1:] for path in tmp_path.iterdir()} == {
        f"{number}.png": b"%d" % number for number in range(1, 5)
    }


@pytest.mark.parametrize(
    "unsupported", [("_rename_exclusively",), ("_rename_exclusively", "_link_and_unlink")]
)
def test_an_output_is_put_in_place_without_an_exclusive_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unsupported: tuple[str, ...]
) -> None:
    for name in unsupported:
        monkeypatch.setattr(f"vidrestore.runtime.put_in_place.{name}", lambda *_: False)
    put(tmp_path / "out.mkv", overwrite=False)
    with pytest.raises(OutputError, match="exists already"):
        put(tmp_path / "out.mkv", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


@pytest.mark.parametrize("error", [OSError(errno.EIO, os.strerror(errno.EIO)), KeyboardInterrupt()])
def test_a_sequence_that_a_disk_error_or_interrupt_ends_is_removed_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    (tmp_path / "9.png").write_bytes(b"the user's own")
    before = snapshot(tmp_path)
    move = atomic_output.rename

    def failing(source: Path, target: Path, **how: Any) -> None:
        if target.name == "3.png":
            raise error
        move(source, target, **how)

    monkeypatch.setattr(atomic_output, "rename", failing)
    with pytest.raises(type(error)):
        put(tmp_path / "%d.png", overwrite=False, count=4)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["out.mkv", "%d.png"])
def test_the_data_of_an_output_are_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    synced: set[int] = set()
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.add(os.fstat(descriptor).st_ino))
    put(tmp_path / name, overwrite=False, count=2 if "%" in name else 1)
    assert synced == {path.stat().st_ino for path in (tmp_path, *tmp_path.iterdir())}


@pytest.mark.parametrize("name", ["out.mkv", "%d.png"])
@pytest.mark.parametrize("call", ["open", "fsync"])
def test_an_output_in_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, call: str
) -> None:
    """A folder that may be written to but not read, or a file system that syncs files only."""
    usual = getattr(os, call)

    def refusing(given: Any, *rest: Any, **how: Any) -> Any:
        if given == tmp_path or (isinstance(given, int) and S_ISDIR(os.fstat(given).st_mode)):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return usual(given, *rest, **how)

    monkeypatch.setattr(os, call, refusing)
    put(tmp_path / name, overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == [name.replace("%d", "1")]


def test_an_output_whose_temporary_name_stays_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put_in_place, "_rename_exclusively", lambda *_: False)
    (tmp_path / "new").write_bytes(b"complete")

    def unlink(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "unlink", unlink)
    put_in_place.put_in_place(tmp_path / "new", tmp_path / "out.mkv", overwrite=False)
    assert (tmp_path / "out.mkv").read_bytes() == b"complete"
