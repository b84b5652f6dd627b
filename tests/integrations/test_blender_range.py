"""The frames of its file that a strip shows, and the queue of jobs; without Blender."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidrestore.integrations.blender.media_range import (
    MediaRange,
    StripTimes,
    content_start_of_part,
    exact_rate,
    used_range,
    whole_range,
)
from vidrestore.integrations.blender.restoration_queue import Job, RestorationQueue, free_name

FILM = Fraction(24000, 1001)


def times(content: int = 150, *, trimmed: int = 0, before: float = 0, shown: int = 150) -> StripTimes:
    return StripTimes(
        content_frames=content,
        trimmed=trimmed,
        content_start=10.0,
        hidden_before=before,
        shown=shown,
        hidden_after=content - before - shown,
        natural_stretch=50 / 23.976,
    )


def test_a_rate_in_single_precision_is_the_exact_one() -> None:
    assert exact_rate(23.976024627685547) == FILM
    assert exact_rate(25.0) == 25
    assert exact_rate(59.94005966186523) == Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("strip", "handles", "first", "last"),
    [
        (times(), 0, 0, 149),
        (times(before=20, shown=100), 0, 20, 119),
        (times(before=20, shown=100), 12, 8, 131),
        (times(before=5, shown=140), 12, 0, 149),
        (times(140, trimmed=10, before=20, shown=100), 0, 30, 129),
        (times(before=-30, shown=50), 0, 0, 19),
        (times(before=-300, shown=50), 0, 0, 149),
    ],
)
def test_only_the_frames_that_are_shown_and_handles_are_taken(
    strip: StripTimes, handles: int, first: int, last: int
) -> None:
    part = used_range(strip, 150, FILM, handles)
    assert (part.first, part.last) == (first, last)
    assert part.is_whole == ((first, last) == (0, 149))


def test_a_strip_that_plays_at_its_own_rate_in_a_faster_scene_takes_fewer_frames() -> None:
    # 150 frames of 25 a second are 300 of 50 a second.
    strip = StripTimes(
        content_frames=150,
        trimmed=0,
        content_start=10,
        hidden_before=40,
        shown=100,
        hidden_after=159,  # Blender rounds the length down
        natural_stretch=2,
    )
    part = used_range(strip, 150, Fraction(25), 0)
    assert (part.first, part.last) == (20, 69)
    assert content_start_of_part(strip, part) == 50


def test_the_part_starts_where_its_first_frame_was() -> None:
    strip = times(before=20, shown=100)
    assert content_start_of_part(strip, used_range(strip, 150, FILM, 12)) == 18
    trimmed = times(140, trimmed=10, before=20, shown=100)
    assert content_start_of_part(trimmed, used_range(trimmed, 150, FILM, 12)) == 10 + 18 - 10


@pytest.mark.parametrize(
    ("stretch", "handles", "first"),
    [(2.4, 0, 22), (2.4, 2, 22), (2.4, 5, 17), (2.5025, 9, 10), (60000 / 24000, 4, 18), (2.39, 500, 2)],
)
def test_a_part_starts_at_a_whole_frame_of_the_timeline(stretch: float, handles: int, first: int) -> None:
    strip = StripTimes(
        content_frames=148,
        trimmed=2,
        content_start=10,
        hidden_before=20 * stretch,
        shown=40,
        hidden_after=148 * stretch - 20 * stretch - 40,
        natural_stretch=stretch,
    )
    part = used_range(strip, 150, Fraction(25), handles)
    assert part.first == first
    assert content_start_of_part(strip, part) == pytest.approx(10 + (first - 2) * stretch, abs=0.02)


@pytest.mark.parametrize("rate", [FILM, Fraction(25), Fraction(60000, 1001)])
@pytest.mark.parametrize("first", [0, 1, 20, 100_001])
def test_the_start_and_end_options_select_exactly_the_range(rate: Fraction, first: int) -> None:
    words = MediaRange(first, first + 9, 200_000, rate).words()
    start, end = Fraction(words[1]), Fraction(words[3])
    shown = [n for n in range(max(first - 3, 0), first + 15) if start <= n / rate < end]
    assert shown == list(range(first, first + 10))


def test_a_whole_file_needs_no_range() -> None:
    assert whole_range(150, FILM).words() == []


class FakeCommand:
    """A command that ends when the test says so."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words, self.state, self.share, self.text = list(words), "running", 0.5, "restoring"

    def cancel(self) -> None:
        self.state = "cancelled"


class Studio:
    """A queue and what came of it."""

    def __init__(self) -> None:
        self.commands: list[FakeCommand] = []
        self.done: list[tuple[str, Path]] = []
        self.ended: list[tuple[str, str]] = []
        self.queue = RestorationQueue(
            on_done=lambda job, file: self.done.append((job.strip, file)),
            on_end=lambda job, sentence: self.ended.append((job.strip, sentence)),
            start=self._start,
        )

    def _start(self, words: Sequence[str]) -> Any:
        self.commands.append(FakeCommand(words))
        return self.commands[-1]


def job(tmp_path: Path, name: str) -> Job:
    part = MediaRange(20, 119, 150, FILM)
    return Job(name, tmp_path / "film.mov", part, ("--strength", "0.5"), tmp_path / "vidrestore")


def test_jobs_run_one_after_the_other(tmp_path: Path) -> None:
    studio = Studio()
    studio.queue.add(job(tmp_path, "a"))
    studio.queue.add(job(tmp_path, "b"))
    studio.queue.step()
    studio.queue.step()
    assert len(studio.commands) == 1
    assert studio.queue.text == "film_20-119_restored.mov: restoring; 1 waiting"
    assert studio.commands[0].words[:3] == [
        "restore",
        str(tmp_path / "film.mov"),
        str(tmp_path / "vidrestore" / "film_20-119_restored.mov"),
    ]
    assert studio.commands[0].words[-2:] == ["--strength", "0.5"]
    studio.commands[0].state = "done"
    studio.queue.step()
    studio.queue.step()
    studio.commands[1].state, studio.commands[1].text = "failed", "the disk is full"
    studio.queue.step()
    assert [name for name, _ in studio.done] == ["a"]
    assert studio.ended == [("b", "the disk is full")]
    assert not studio.queue.is_busy


def test_cancelling_ends_all_jobs(tmp_path: Path) -> None:
    studio = Studio()
    for name in "abc":
        studio.queue.add(job(tmp_path, name))
    studio.queue.step()
    studio.queue.cancel()
    assert studio.commands[0].state == "cancelled"
    assert studio.ended == [("a", "cancelled"), ("b", "cancelled"), ("c", "cancelled")]
    assert not studio.queue.is_busy


def test_a_folder_that_cannot_be_created_ends_the_job_with_an_error(tmp_path: Path) -> None:
    studio = Studio()
    (tmp_path / "vidrestore").write_text("a file")
    studio.queue.add(job(tmp_path, "a"))
    studio.queue.step()
    assert studio.ended[0][0] == "a"
    assert studio.ended[0][1].startswith("cannot make the folder")


def test_a_result_gets_a_file_name_that_is_not_taken(tmp_path: Path) -> None:
    part = whole_range(10, FILM)
    (tmp_path / "film_restored.mov").write_bytes(b"")
    assert free_name(tmp_path, Path("film.mov"), part).name == "film_restored_2.mov"
    assert free_name(tmp_path, Path("film.wmv"), part).name == "film_restored.mkv"
