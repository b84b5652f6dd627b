"""Which file of a folder becomes which: mirrored, and never two the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vidrestore.errors import InputError
from vidrestore.jobs.batch_inputs import find_items


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"?")
    return folder


def targets(folder: Path, out: Path, **how: Any) -> dict[str, str]:
    given = {"pattern": None, "recursive": True, "extension": None, "existing_targets": {}} | how
    return {i.name: i.target.relative_to(out).as_posix() for i in find_items(folder, out, **given)}


def test_the_tree_is_mirrored_without_what_is_no_video_hidden_or_the_output(tmp_path: Path) -> None:
    folder = tree(
        tmp_path, "a.mp4", "b/c.MOV", "b/d/e.vob", "b/notes.txt", ".hidden.mp4", ".git/f.mp4", "out/a.mp4"
    )
    found = targets(folder, folder / "out")
    assert found == {"a.mp4": "a.mp4", "b/c.MOV": "b/c.MOV", "b/d/e.vob": "b/d/e.mkv"}
    assert list(targets(folder, folder / "out", recursive=False)) == ["a.mp4"]
    assert list(targets(folder, folder / "out", pattern="?.[mM]*")) == ["a.mp4", "b/c.MOV"]


def test_two_inputs_never_have_one_output(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.avi", "a.mov", "A.MP4", "b.mov")
    found = targets(folder, tmp_path / "out", extension=".mp4")
    assert found == {"a.avi": "a.avi.mp4", "a.mov": "a.mov.mp4", "A.MP4": "A.MP4.mp4", "b.mov": "b.mp4"}


def test_what_has_an_output_keeps_it_when_a_namesake_comes(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.avi", "a.mov")
    found = targets(folder, tmp_path / "out", extension=".mp4", existing_targets={"a.mov": "a.mp4"})
    assert found == {"a.avi": "a.avi.mp4", "a.mov": "a.mp4"}


def test_a_folder_without_videos_is_one_sentence(tmp_path: Path) -> None:
    tree(tmp_path, "notes.txt", "deep/a.mp4")
    with pytest.raises(InputError, match="is a video; add --recursive"):
        targets(tmp_path, tmp_path / "out", recursive=False)
    with pytest.raises(InputError, match="there is no folder"):
        targets(tmp_path / "nowhere", tmp_path / "out")
