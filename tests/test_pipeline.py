"""Chosen track numbers that the video does not have: an error if none exists, otherwise a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

import vidrestore
from tests.support.clips import make_clip
from tests.support.films import make_film
from vidrestore.errors import UsageError


@pytest.mark.parametrize("segment", [0, 1])
def test_nothing_is_written_if_none_of_the_requested_faces_exists(segment: int, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    with pytest.raises(UsageError, match=r"^no face has the number 3, 99 in clip\.mp4; vidrestore inspect"):
        vidrestore.restore(clip, tmp_path / "out.mp4", faces=[3, 99], segment=segment)
    assert not (tmp_path / "out.mp4").exists()


def test_one_missing_face_of_several_requested_is_a_warning(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", 12, [range(12)])
    report = vidrestore.restore(film, tmp_path / "out.mkv", faces="0,99", device="cpu")
    assert report.warnings == ("no face has the number 99 in film.mkv; vidrestore inspect lists them",)
