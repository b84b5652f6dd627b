"""`resume` uses the settings of the interrupted run again, those too that do not change the result."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.damage import zero_packets
from tests.support.films import make_film
from tests.support.jobs import SEGMENTS, failing_at, names_in
from vidrestore.errors import DamagedInputError, ProcessingError
from vidrestore.jobs import restore, segment_choice
from vidrestore.jobs.engines import in_process
from vidrestore.jobs.journal import journal_path
from vidrestore.settings import Settings, make_settings
from vidrestore.types import Report


def interrupt(source: Path, output: Path, *, at: int, **how: Any) -> None:
    """Starts a run whose writing fails at frame `at`, in this process whatever the settings say."""
    with failing_at(at), pytest.raises(ProcessingError, match="kept"):
        restore.restore_file(source, output, make_settings(**how), None, in_process.InProcessEngine())


def resumed_settings(output: Path, **how: Any) -> Settings:
    """The settings with which a run is continued, which is not done."""
    found: list[Settings] = []

    def take(_source: Path, _target: Path, settings: Settings, *_: Any, **__: Any) -> Report:
        found.append(settings)
        return Report(
            output=output, frames=0, frames_with_faces=0, faces=0, tracks=0, lost_frames=0, seconds=0,
            seconds_by_stage={},
        )  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restore, "restore_file", take)
        restore.resume_file(output, **how)
    return found[0]


def test_resume_is_as_strict_as_the_run_and_has_its_workers_and_its_engine(tmp_path: Path) -> None:
    source, output = make_film(tmp_path / "in.mkv", 90, ()), tmp_path / "out.mkv"
    interrupt(source, output, at=40, **SEGMENTS, strict=True, workers=3, engine="ray", overwrite=True)
    same = resumed_settings(output)
    assert (same.strict, same.workers, same.engine, same.overwrite) == (True, 3, "ray", True)
    other = resumed_settings(output, workers=1, engine="local")
    assert (other.strict, other.workers, other.engine) == (True, 1, "local")
    assert not other.restart


def test_a_journal_without_these_settings_is_resumed(tmp_path: Path) -> None:
    source, output = make_film(tmp_path / "in.mkv", 90, ()), tmp_path / "out.mkv"
    interrupt(source, output, at=40, **SEGMENTS, strict=True)
    with closing(sqlite3.connect(journal_path(output))) as connection, connection:
        assert connection.execute("DELETE FROM about WHERE name = 'run settings'").rowcount == 1
    assert not resumed_settings(output).strict
    assert vidrestore.resume(output).resumed_frames > 0


def test_a_strict_run_that_is_resumed_refuses_damage(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", Clip(frames=250, gop=12))
    zero_packets(source, [228, 229])
    output = tmp_path / "out.mkv"
    interrupt(source, output, at=40, **SEGMENTS, strict=True)
    with pytest.raises(DamagedInputError, match="leave out --strict"):
        vidrestore.resume(output)
    assert not output.exists()


def test_a_strict_run_does_not_continue_one_that_accepted_damage_and_leaves_its_work(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", Clip(frames=110, gop=12))
    zero_packets(source, [20, 21])
    output = tmp_path / "out.mkv"
    interrupt(source, output, at=70, **SEGMENTS)
    kept = names_in(tmp_path)
    with pytest.raises(DamagedInputError, match="damaged, as the earlier run found; leave out --strict"):
        vidrestore.restore(source, output, **SEGMENTS, strict=True)
    assert names_in(tmp_path) == kept
    report = vidrestore.resume(output)
    assert report.resumed_frames > 0
    assert report.lost_frames + report.concealed_frames > 0


def test_a_short_video_that_was_started_with_workers_is_continued_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_choice, "DEFAULT_SEGMENT_SECONDS", 1.0)
    source, output = make_film(tmp_path / "in.mkv", 90, ()), tmp_path / "out.mkv"
    interrupt(source, output, at=40, codec="ffv1", workers=2)
    assert vidrestore.resume(output, workers=1).resumed_frames > 0
    assert names_in(tmp_path) == ["in.mkv", "out.mkv"]
