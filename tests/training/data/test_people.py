"""Whole people are held out, and rare faces are drawn more often."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.errors import InputError
from vidrestore.training.data.evidence_crops import find_faces
from vidrestore.training.data.people import _face_file, list_faces


def folder_of(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for name in names:
        cv2.imwrite(str(folder / name), np.zeros((4, 4, 3), np.uint8))
    return folder


@settings(deadline=None)
@given(st.text("abc_-1", min_size=1, max_size=8), st.integers(0, 99), st.integers(0, 99), st.floats(0, 1))
def test_all_pictures_of_a_person_are_on_one_side(person: str, one: int, other: int, share: float) -> None:
    person = person.replace("__", "-")
    files = [_face_file(Path("faces"), Path(f"{person}__{view}.png"), {}, share) for view in (one, other)]
    assert files[0].person == files[1].person
    assert files[0].is_held_out == files[1].is_held_out


def test_about_the_share_of_people_is_held_out_and_always_the_same_ones(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "faces", [f"person{i}__{view}.png" for i in range(300) for view in "ab"])
    faces = list_faces(folder, validation_share=0.2)
    held = {face.person for face in faces if face.is_held_out}
    assert 40 < len(held) < 80
    assert held.isdisjoint(face.person for face in faces if not face.is_held_out)
    assert faces == list_faces(folder, validation_share=0.2)
    assert held <= {face.person for face in list_faces(folder, validation_share=0.5) if face.is_held_out}


def test_a_manifest_says_who_is_held_out_who_is_who_and_what_is_drawn(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "faces", ["a.png", "b.png", "c.png", "d.png"])
    (folder / "manifest.csv").write_text(
        "file,person,split,kind,yaw,luma,mouth,sex\n"
        "a.png,one,validation,photo,0.0,120,0.0,female\n"
        "b.png,one,validation,photo,0.4,120,0.0,\n"
        "c.png,two,train,synthetic,,60,,\n"
    )
    faces = {face.path.name: face for face in list_faces(folder, validation_share=1.0)}
    assert [faces[name].person for name in ("a.png", "b.png", "c.png", "d.png")] == ["one", "one", "two", "d"]
    assert [faces[n].is_held_out for n in sorted(faces)] == [True, True, False, True]
    assert [faces[n].is_photo for n in sorted(faces)] == [True, True, False, True]
    assert [faces[n].weight for n in sorted(faces)] == [1, 2, 2, 1]
    assert faces["a.png"].attribute("sex") == "female"
    assert faces["b.png"].attribute("sex") == ""


def test_faces_in_the_folder_of_a_person_are_used_and_are_that_persons(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "faces", ["top.png"])
    for person in ("anna", "berta"):
        folder_of(folder / person, ["1.png", "2.png"])
    (folder / "manifest.csv").write_text("file,kind\nanna/2.png,synthetic\n")
    faces = {face.path.relative_to(folder).as_posix(): face for face in list_faces(folder)}
    assert {name: face.person for name, face in faces.items()} == {
        "anna/1.png": "anna", "anna/2.png": "anna", "berta/1.png": "berta", "berta/2.png": "berta",
        "top.png": "top",
    }  # fmt: skip
    assert [name for name, face in faces.items() if not face.is_photo] == ["anna/2.png"]


def test_the_first_folders_manifest_is_for_all_folders(tmp_path: Path) -> None:
    small = folder_of(tmp_path / "small", ["a.png", "b.png"])
    large = folder_of(tmp_path / "large", ["a.jpg"])
    (small / "manifest.csv").write_text("file,split\na.png,validation\nb.png,train\n")
    faces = find_faces([small, large])
    assert [face.path for face in faces] == [small / "a.png", small / "b.png", large / "a.jpg"]
    assert [face.is_held_out for face in faces] == [True, False, True]


def test_each_folder_has_a_border_of_its_own(tmp_path: Path) -> None:
    folders = [folder_of(tmp_path / "small", ["a.png"]), folder_of(tmp_path / "large", ["a.jpg"])]
    assert [face.border for face in find_faces(folders)] == [0, 0]
    assert [face.border for face in find_faces(folders, borders=[0.05, 0.1])] == [0.05, 0.1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column 'file'"),
        (b"name,split\na.png,train\n", "no column 'file'"),
        (b"file,split\n\xff\xfe,train\n", "cannot be read"),
    ],
)
def test_an_invalid_manifest_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    folder = folder_of(tmp_path / "faces", ["a.png"])
    (folder / "manifest.csv").write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        list_faces(folder)
    assert "manifest.csv" in str(caught.value)


def test_a_folder_that_is_not_there_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of faces"):
        list_faces(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no pictures"):
        list_faces(tmp_path / "empty")
