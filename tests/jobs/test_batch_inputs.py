"""The output of each file of a folder: the tree is mirrored, and no two outputs have the same name."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from vidrestore.errors import InputError, UsageError
from vidrestore.jobs.batch_inputs import find_items


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"?")
    return folder


def targets(folder: Path, out: Path, **how: Any) -> dict[str, str]:
    original = {"pattern": None, "recursive": True, "extension": None, "existing_targets": {}} | how
    return {i.name: i.target.relative_to(out).as_posix() for i in find_items(folder, out, **original)}


def test_the_tree_is_mirrored_without_what_is_no_video_hidden_or_the_output(tmp_path: Path) -> None:
    folder = tree(
        tmp_path, "a.mp4", "b/c.MOV", "b/d/e.vob", "b/notes.txt", ".hidden.mp4", ".git/f.mp4", "out/a.mp4"
    )
    found = targets(folder, folder / "out")
    assert found == {"a.mp4": "a.mp4", "b/c.MOV": "b/c.MOV", "b/d/e.vob": "b/d/e.mkv"}
    assert list(targets(folder, folder / "out", recursive=False)) == ["a.mp4"]
    assert list(targets(folder, folder / "out", pattern="?.[mM]*")) == ["a.mp4", "b/c.MOV"]


def test_two_inputs_never_have_the_same_output(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.avi", "a.mov", "A.MP4", "b.mov")
    found = targets(folder, tmp_path / "out", extension=".mp4")
    assert found == {"a.avi": "a.avi.mp4", "a.mov": "a.mov.mp4", "A.MP4": "A.MP4.mp4", "b.mov": "b.mp4"}


def test_outputs_differ_if_one_input_is_named_like_the_output_of_another(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.avi", "a.avi.mkv", "a.mkv")
    found = targets(folder, tmp_path / "out", extension=".mkv")
    assert found == {"a.avi": "a.avi.2.mkv", "a.avi.mkv": "a.avi.mkv", "a.mkv": "a.mkv.mkv"}


def test_outputs_differ_by_more_than_case_or_unicode_form(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "caf\u00e9.avi", "cafe\u0301.mov", "x/B.mov", "x/b.avi")
    found = targets(folder, tmp_path / "out", extension=".mkv")
    assert len({unicodedata.normalize("NFC", target).casefold() for target in found.values()}) == 4


def test_no_output_is_an_input(tmp_path: Path) -> None:
    """Where outputs go into a folder that holds the inputs', and where links lead to inputs."""
    folder = tree(tmp_path / "in", "a.avi", "in/a.mkv", "b.avi")
    (tmp_path / "b.mkv").symlink_to(folder / "b.avi")
    found = targets(folder, tmp_path, extension=".mkv")
    assert found == {"a.avi": "a.mkv", "in/a.mkv": "in/a.mkv", "b.avi": "b.avi.mkv"}
    deeper = tree(tmp_path / "in2", "in2/a.avi", "in2/a.mkv", "a.avi")
    again = find_items(
        deeper / "in2", deeper, pattern=None, recursive=True, extension=".mkv", existing_targets={}
    )
    assert {item.name: item.target.name for item in again} == {"a.avi": "a.avi.mkv", "a.mkv": "a.mkv.mkv"}
    inner = tree(tmp_path / "t", "d/d/x.avi", "d/x.mkv")
    mapped = find_items(
        inner, inner.parent, pattern=None, recursive=True, extension=None, existing_targets={}
    )
    assert all(item.target not in {inner / "d/d/x.avi", inner / "d/x.mkv"} for item in mapped)


def test_no_output_file_has_the_name_of_an_output_folder(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.mkv/b.mp4", "a.avi")
    assert targets(folder, tmp_path / "out", extension=".mkv") == {
        "a.avi": "a.avi.mkv",
        "a.mkv/b.mp4": "a.mkv/b.mkv",
    }


def test_outputs_beside_their_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is the folder of the inputs"):
        targets(tree(tmp_path / "in", "a.avi"), tmp_path / "in" / ".." / "in")


def test_the_recorded_name_of_an_output_in_another_format_is_not_kept(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.avi")
    found = targets(folder, tmp_path / "out", extension=".mkv", existing_targets={"a.avi": "a.mp4"})
    assert found == {"a.avi": "a.mkv"}


def test_an_input_keeps_its_output_when_another_of_the_same_name_is_added(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", "a.avi", "a.mov")
    found = targets(folder, tmp_path / "out", extension=".mp4", existing_targets={"a.mov": "a.mp4"})
    assert found == {"a.avi": "a.avi.mp4", "a.mov": "a.mp4"}


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, "notes.txt", "deep/a.mp4")
    with pytest.raises(InputError, match="is a video or a picture; add --recursive"):
        targets(tmp_path, tmp_path / "out", recursive=False)
    with pytest.raises(InputError, match="there is no folder"):
        targets(tmp_path / "nowhere", tmp_path / "out")
