"""A broadcast opens at once, though it must be read to its end for restarts of its clock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from tests.support.clips import Clip, make_clip
from vidrestore.video import open_input, probe
from vidrestore.web import media
from vidrestore.web.media import MediaWorker


@pytest.fixture
def broadcast(tmp_path: Path) -> Path:
    """Two parts, each of whose clocks begins where it likes."""
    parts = [
        make_clip(
            tmp_path / f"{start}.ts",
            Clip(frames=30, gop=10, time_base=Fraction(1, 90000), start=Fraction(start)),
        )
        for start in (7200, 0)
    ]
    path = tmp_path / "film.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.fixture
def worker() -> Iterator[MediaWorker]:
    with closing(MediaWorker()) as worker:
        yield worker


def test_facts_and_first_frame_of_a_broadcast_do_not_wait_for_its_end(
    worker: MediaWorker, broadcast: Path
) -> None:
    reading: Future[tuple[str, Any]] = Future()
    worker._clocks[media._file_state(broadcast)] = reading
    assert worker.facts(broadcast)["exact"] is False
    assert worker.frame(broadcast, 0, 64, is_near=True).startswith(b"\xff\xd8")
    reading.set_result(("value", open_input(broadcast)))
    assert worker.facts(broadcast)["exact"] is True


def test_the_length_of_a_broadcast_is_exact_after_reading_it_to_its_end(
    worker: MediaWorker, broadcast: Path
) -> None:
    facts = worker.facts(broadcast, is_exact=True)
    whole = probe(open_input(broadcast)).duration
    assert whole is not None
    assert (facts["exact"], facts["duration"]) == (True, float(whole))
    assert abs(facts["duration"] - 60 / 25) < 0.2
    assert worker.frame(broadcast, 2.2, 64, is_near=False).startswith(b"\xff\xd8")


def test_a_file_that_is_no_broadcast_is_not_read_to_its_end(worker: MediaWorker, tmp_path: Path) -> None:
    film = make_clip(tmp_path / "film.mp4", Clip(frames=5))
    assert worker.facts(film)["exact"] is True
    assert worker._clocks == {}
