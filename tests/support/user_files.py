"""A user's files that have names as this program's files have: it must not change them or wait for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vidrestore.runtime.marked_folder import MARK

WORDS = b"the user's own words"


def _file(path: Path) -> None:
    path.write_bytes(WORDS)


def _empty_file(path: Path) -> None:
    path.touch()


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "00000-0.part").write_bytes(WORDS)
    (path / "whole.mkv").write_bytes(WORDS)
    (path / "joined.mkv").write_bytes(WORDS)


def _folder_with_a_false_mark(path: Path) -> None:
    _folder(path)
    (path / MARK).write_bytes(WORDS)


def _link_to_a_folder(path: Path) -> None:
    target = path.with_name("elsewhere")
    _folder(target)
    path.symlink_to(target)


def _link_to_a_file(path: Path) -> None:
    path.with_name("elsewhere.bin").write_bytes(WORDS)
    path.symlink_to(path.with_name("elsewhere.bin"))


def _dangling_link(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def _fifo(path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("FIFOs as POSIX has them")
    os.mkfifo(path)


USERS_OWN: dict[str, Callable[[Path], None]] = {
    "a file": _file,
    "an empty file": _empty_file,
    "a folder": _folder,
    "a folder with a false mark": _folder_with_a_false_mark,
    "a link to a folder": _link_to_a_folder,
    "a link to a file": _link_to_a_file,
    "a dangling link": _dangling_link,
    "a FIFO": _fifo,
}
"""What puts each of them at a path."""


def snapshot(folder: Path) -> dict[str, tuple[int, object]]:
    """The kind and the content of all there is in a folder, links as links."""
    found: dict[str, tuple[int, object]] = {}
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(place) / name
            mode = path.lstat().st_mode
            content: object = None
            if path.is_symlink():
                content = path.readlink()
            elif path.is_file():
                content = path.read_bytes()
            found[path.relative_to(folder).as_posix()] = mode, content
    return found
