"""The processes behind the page end without harm: the next request gets a new one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from tests.support.clips import Clip, make_clip
from vidrestore.errors import InputError, ProcessingError
from vidrestore.web import media
from vidrestore.web.media import MediaWorker

LIMIT_SECONDS = 60


@pytest.fixture
def worker() -> Iterator[MediaWorker]:
    with closing(MediaWorker()) as worker:
        yield worker


def until(holds: Callable[[], object]) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_a_time_after_the_end_is_an_error_of_the_caller(worker: MediaWorker, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mkv", Clip(frames=5))
    with pytest.raises(InputError, match="no frame at 99 s"):
        worker.frame(clip, 99, 64, is_near=False)


def test_a_request_after_the_idle_process_was_killed_is_answered(worker: MediaWorker) -> None:
    first = worker._run("looks", os.getpid)
    os.kill(first, signal.SIGKILL)
    until(lambda: worker._pools["looks"]._broken)
    second = worker._run("looks", os.getpid)
    assert second not in (first, os.getpid())
    assert worker._run("looks", os.getpid) == second


def test_requests_that_wait_while_their_process_is_killed_share_one_new_process(worker: MediaWorker) -> None:
    first = worker._run("looks", os.getpid)
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(worker._run("looks", time.sleep, 1))),
        *(threading.Thread(target=lambda: answers.append(worker._run("looks", os.getpid))) for _ in range(3)),
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(worker._pools["looks"]._pending_work_items) == len(threads))
    os.kill(first, signal.SIGKILL)
    for thread in threads:
        thread.join(LIMIT_SECONDS)
    second = worker._run("looks", os.getpid)
    assert second != first
    assert sorted(answers, key=str) == sorted([None, second, second, second], key=str)


def test_a_file_that_ends_its_process_gives_a_message_and_the_next_request_an_answer(
    worker: MediaWorker,
) -> None:
    with pytest.raises(ProcessingError, match="the process that reads this file ended"):
        worker._run("looks", os._exit, 1)
    assert worker._run("looks", os.getpid) != os.getpid()


def test_a_broadcast_is_read_again_if_the_process_that_read_it_was_killed(
    worker: MediaWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "film.ts"
    path.write_bytes(b"a film")
    monkeypatch.setattr(media, "_is_broadcast", lambda _: True)
    monkeypatch.setattr(media, "_read_clock", str)  # stands for reading it to its end
    broken: Future[tuple[str, Any]] = Future()
    broken.set_exception(BrokenProcessPool())
    worker._clocks[media._file_state(path)] = broken
    assert worker._with_clock(path, waits=True) == str(path)
