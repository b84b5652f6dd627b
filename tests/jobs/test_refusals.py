"""A run cannot be resumed with other inputs or settings; the error message says what differs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.jobs import SEGMENTS, assert_equal, interrupted_run, names_in
from vidrestore.errors import OutputError, UsageError
from vidrestore.jobs.journal import Journal, journal_path


def test_a_resumed_run_continues_from_its_finished_frames_and_reports_them(tmp_path: Path) -> None:
    source, output = interrupted_run(tmp_path)
    events = []
    report = vidrestore.resume(output, on_progress=events.append)
    assert report.frames == 90
    assert [events[0].stage, events[-1].stage] == ["opening", "finishing"]
    assert {progress.resumed_frames for progress in events[1:]} == {32}
    assert (events[1].frames, events[-1].frames, events[-1].total) == (32, 90, 90)
    assert_equal(source, output)
    assert names_in(tmp_path) == ["in.mkv", "out.mkv"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"strength": 0.5}, "was started with strength 1.0, not 0.5; add --restart"),
        ({"deflicker": True}, "was started with deflicker false, not true"),
        ({"end": 3.0}, "was started with end not given, not 3.0"),
    ],
)
def test_a_run_is_not_resumed_with_other_settings(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    source, output = interrupted_run(tmp_path)
    with pytest.raises(UsageError, match=why):
        vidrestore.restore(source, output, **SEGMENTS, **changes)
    assert vidrestore.restore(source, output, **SEGMENTS, **changes, restart=True).frames > 60


def test_an_input_that_has_changed_is_refused(tmp_path: Path) -> None:
    source, output = interrupted_run(tmp_path)
    stat = source.stat()
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    for go_on in (lambda: vidrestore.restore(source, output, **SEGMENTS), lambda: vidrestore.resume(output)):
        with pytest.raises(UsageError, match="which has changed since; add --restart"):
            go_on()


def test_a_second_run_on_the_same_output_is_refused(tmp_path: Path) -> None:
    source, output = interrupted_run(tmp_path)
    with (
        Journal(journal_path(output), output),
        pytest.raises(OutputError, match=r"another vidrestore is working on .*out\.mkv"),
    ):
        vidrestore.restore(source, output, **SEGMENTS)
    assert vidrestore.restore(source, output, **SEGMENTS).frames == 90


def test_a_part_that_is_gone_or_cut_short_is_restored_again(tmp_path: Path) -> None:
    source, output = interrupted_run(tmp_path)
    (part,) = tmp_path.glob(".out.mkv.vidrestore-parts/*.part")
    part.write_bytes(part.read_bytes()[:-1])
    assert vidrestore.restore(source, output, **SEGMENTS).frames == 90
    assert_equal(source, output)


def test_a_damaged_journal_is_refused(tmp_path: Path) -> None:
    source, output = interrupted_run(tmp_path)
    journal_path(output).write_bytes(b"no database" * 100)
    with pytest.raises(OutputError, match=r"is damaged .*out\.mkv is restored from the beginning"):
        vidrestore.restore(source, output, **SEGMENTS)


def test_a_wrong_system_clock_does_not_change_a_resumed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = interrupted_run(tmp_path)
    for moved in (tmp_path / ".out.mkv.vidrestore", *tmp_path.glob(".out.mkv.vidrestore-parts/*")):
        os.utime(moved, (4e9, 4e9))
    monkeypatch.setattr("time.time", lambda: 1.0)
    assert vidrestore.restore(source, output, **SEGMENTS).frames == 90
    assert_equal(source, output)


def test_without_an_earlier_run_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no unfinished run to"):
        vidrestore.resume(tmp_path / "out.mkv")
