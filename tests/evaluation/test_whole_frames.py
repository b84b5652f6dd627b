"""The frame that is asked for comes, by decord or by the project's own reader."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import pytest

from tests.support.clips import Clip, make_clip, read_number
from vidrestore.evaluation.report.whole_frames import LONGEST_SIDE, frames_at

WANTED = [(3, 3 / 25), (17, 17 / 25), (9, 9 / 25)]


def numbers(path: Path) -> list[int]:
    return [read_number(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)) for picture in frames_at(path, WANTED)]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_random_access_returns_the_frames_of_the_requested_numbers(tmp_path: Path, name: str) -> None:
    assert numbers(make_clip(tmp_path / name)) == [3, 17, 9]


def test_without_decord_the_same_frames_are_returned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "decord", None)
    assert numbers(make_clip(tmp_path / "clip.mp4")) == [3, 17, 9]


def test_large_frames_are_shrunk(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "large.mp4", Clip(frames=2, size=(1280, 96)))
    (picture,) = frames_at(path, [(1, 1 / 25)])
    assert picture.shape == (48, LONGEST_SIDE, 3)
    assert frames_at(path, []) == []
