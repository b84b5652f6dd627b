"""Rooms work in threads of their own: the same output each time, their errors at the caller, nothing left."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

import vidrestore
from tests.support.clips import packets_of
from tests.support.shared import ROOT
from vidrestore.types import Detection, Frame

SAMPLE = ROOT / "samples" / "old_film.mp4"


def test_what_comes_out_does_not_depend_on_the_threads(tmp_path: Path) -> None:
    runs = []
    for name in ("one.mkv", "two.mkv"):
        report = vidrestore.restore(SAMPLE, tmp_path / name, end=0.7, codec="ffv1", device="cpu")
        assert report.faces > 0
        runs.append(packets_of(tmp_path / name, "video"))
    assert runs[0] == runs[1]


def test_every_room_states_its_time_and_waiting_is_none(tmp_path: Path) -> None:
    report = vidrestore.restore(SAMPLE, tmp_path / "out.mkv", end=0.4, device="cpu")
    assert set(report.seconds_by_room) == {
        "loading",
        "decoding",
        "detection",
        "tracking",
        "alignment",
        "restoration",
        "compositing",
        "encoding",
    }
    # No thread can have worked longer than the whole took.
    assert all(seconds <= report.seconds for seconds in report.seconds_by_room.values())


class FailingDetector:
    """Breaks at a frame, in the analysis' thread."""

    def detect(self, frame: Frame, *, quick: bool = False) -> tuple[Detection, ...]:
        if frame.index >= 10:
            raise ZeroDivisionError("in the analysis")
        return ()

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return ()


def test_an_error_in_a_rooms_thread_ends_the_run_and_all_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrestore.detection.make_detector", lambda *_: FailingDetector())
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError, match="in the analysis"):
        vidrestore.restore(SAMPLE, tmp_path / "out.mp4", device="cpu")
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_caller_stops_every_room(tmp_path: Path) -> None:
    before = threading.active_count()

    def fail(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vidrestore.restore(SAMPLE, tmp_path / "out.mp4", on_progress=fail, device="cpu")
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []
