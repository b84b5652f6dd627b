"""The newest restored frame is written regularly; a failure to write it never ends the run."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.films import make_film
from tests.support.jobs import frames_of, names_in
from tests.support.photos import save, smooth
from tests.support.user_files import USERS_OWN, snapshot
from vidrestore.pipeline import latest_frame
from vidrestore.pipeline.latest_frame import LatestFrame
from vidrestore.runtime.latest_frame import LATEST_FRAME
from vidrestore.types import Frame


@pytest.fixture
def frame(tmp_path: Path) -> Frame:
    return frames_of(make_film(tmp_path / "in.mkv", 6, (range(6),)))[0]


def test_frames_without_faces_wait_longer(
    frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "newest.jpg", [100.0]
    monkeypatch.setenv(LATEST_FRAME, str(path))
    latest = LatestFrame(clock=lambda: now[0])
    written = []
    for seconds, has_faces in ((0, True), (1, True), (2, False), (2.5, True), (4.6, False), (9, False)):
        path.unlink(missing_ok=True)
        now[0] = 100 + seconds
        latest.show(frame, has_faces=has_faces)
        written.append(path.exists())
    assert written == [True, False, False, True, False, True]
    assert names_in(tmp_path) == ["in.mkv", "newest.jpg"]


def test_the_latest_frame_is_written_as_a_picture(
    frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "newest.jpg"
    monkeypatch.setenv(LATEST_FRAME, str(path))
    LatestFrame().show(frame, has_faces=True)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape == (128, 144, 3)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)
    assert np.abs(grey - (frame.planes[0].astype(float) - 16) / 219 * 255).mean() < 4


def test_a_latest_frame_that_cannot_be_written_raises_no_error(
    frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LATEST_FRAME, str(tmp_path / "none" / "newest.jpg"))
    LatestFrame().show(frame, has_faces=True)
    assert not (tmp_path / "none").exists()
    monkeypatch.delenv(LATEST_FRAME)
    monkeypatch.setattr(latest_frame, "_jpeg", lambda _: pytest.fail("nobody asked for it"))
    LatestFrame().show(frame, has_faces=True)


@pytest.mark.parametrize("kind", USERS_OWN)
def test_a_users_file_is_not_replaced_by_the_latest_frame(
    kind: str, frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "newest.jpg"
    USERS_OWN[kind](path)
    before = snapshot(tmp_path)
    monkeypatch.setenv(LATEST_FRAME, str(path))
    LatestFrame().show(frame, has_faces=True)
    assert snapshot(tmp_path) == before


def test_neither_the_input_nor_a_photo_is_replaced(
    frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = save(tmp_path / "photo.jpg", smooth(3))
    before = snapshot(tmp_path)
    for path in (tmp_path / "in.mkv", photo):
        monkeypatch.setenv(LATEST_FRAME, str(path))
        LatestFrame().show(frame, has_faces=True)
    assert snapshot(tmp_path) == before


def test_an_earlier_newest_frame_is_replaced(
    frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "newest.jpg"
    monkeypatch.setenv(LATEST_FRAME, str(path))
    LatestFrame().show(frame, has_faces=True)
    before = path.stat().st_ino
    LatestFrame().show(frame, has_faces=True)
    assert path.stat().st_ino != before
    assert names_in(tmp_path) == ["in.mkv", "newest.jpg"]


@pytest.mark.slow
@pytest.mark.parametrize("segment", [0, 1])
def test_a_run_writes_the_latest_frame(segment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_film(tmp_path / "in.mkv", 40, (range(4, 16),))
    monkeypatch.setenv(LATEST_FRAME, str(tmp_path / "newest.jpg"))
    vidrestore.restore(source, tmp_path / "out.mkv", codec="ffv1", fidelity=1, device="cpu", segment=segment)
    assert names_in(tmp_path) == ["in.mkv", "newest.jpg", "out.mkv"]
