"""An event ends a run from another thread: no output, no error of another kind, and what is done is kept."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.films import make_film
from tests.support.jobs import SEGMENTS, assert_equal, finished_segment_files, names_in
from vidrestore.errors import CancelledError
from vidrestore.jobs import segment_task
from vidrestore.runtime.cancellation import cancellable, check_cancelled
from vidrestore.runtime.pipeline_threads import Prefetch
from vidrestore.types import Progress


def cancel_at(frames: int) -> tuple[threading.Event, Any]:
    event = threading.Event()

    def on_progress(progress: Progress) -> None:
        if progress.stage != "analysing" and progress.frames >= frames:
            event.set()

    return event, on_progress


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film") / "in.mkv", 90, ())


def test_a_cancelled_run_leaves_nothing(film: Path, tmp_path: Path) -> None:
    event, on_progress = cancel_at(5)
    with pytest.raises(CancelledError, match=r"^cancelled$"):
        vidrestore.restore(film, tmp_path / "out.mkv", codec="ffv1", on_progress=on_progress, cancel=event)
    assert names_in(tmp_path) == []
    assert [thread for thread in threading.enumerate() if thread.name == "prefetch"] == []


def test_an_event_that_is_set_already_cancels_before_the_work(film: Path, tmp_path: Path) -> None:
    event = threading.Event()
    event.set()
    for call in (
        lambda: vidrestore.restore(film, tmp_path / "out.mkv", cancel=event),
        lambda: vidrestore.inspect(film, cancel=event),
    ):
        with pytest.raises(CancelledError):
            call()
    assert names_in(tmp_path) == []


def test_an_inspection_can_be_cancelled(film: Path) -> None:
    event = threading.Event()
    with pytest.raises(CancelledError):
        vidrestore.inspect(film, on_progress=lambda _: event.set(), cancel=event)


def test_a_cancelled_run_keeps_its_finished_segments_and_can_be_resumed(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_task, "_PROGRESS_EVERY_SECONDS", 0.0)
    output = tmp_path / "out.mkv"
    event, on_progress = cancel_at(40)
    with pytest.raises(CancelledError, match=r"^cancelled \(1 segment is kept: run the same command again"):
        vidrestore.restore(film, output, on_progress=on_progress, cancel=event, **SEGMENTS)
    assert not output.exists()
    assert len(finished_segment_files(output)) == 1
    report = vidrestore.resume(output)
    assert report.frames == 90
    vidrestore.restore(film, tmp_path / "whole.mkv", codec="ffv1", segment=0)
    assert_equal(tmp_path / "whole.mkv", output)
    assert names_in(tmp_path) == ["out.mkv", "whole.mkv"]


def test_a_wait_for_a_slow_stage_ends_when_the_event_is_set() -> None:
    event, go = threading.Event(), threading.Event()

    def slow() -> Any:
        yield 1
        go.wait(60)

    def consume() -> None:
        with cancellable(event), Prefetch(slow(), items=1, interrupt=go.set) as items:
            for _ in items:
                event.set()

    with pytest.raises(CancelledError):
        consume()


def test_threads_of_the_run_do_not_raise() -> None:
    event, errors = threading.Event(), []

    def other() -> None:
        try:
            check_cancelled()
        except CancelledError as error:
            errors.append(error)

    with cancellable(event):
        event.set()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
        with pytest.raises(CancelledError):
            check_cancelled()
    assert errors == []
    check_cancelled()  # outside of the block it is no concern
