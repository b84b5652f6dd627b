"""A folder of videos: mirrored, resumed, reported; a failure does not stop the others."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import Clip, make_clip, truncate
from vidrestore.cli import main
from vidrestore.errors import OutputError, ProcessingError
from vidrestore.jobs import batch
from vidrestore.jobs.batch import restore_folder
from vidrestore.jobs.batch_outcome import BatchProgress
from vidrestore.jobs.batch_record import BatchRecord
from vidrestore.settings import make_settings

FFV1 = make_settings(codec="ffv1", container="mkv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    make_clip(folder / "a.mp4", Clip(frames=6))
    make_clip(folder / "a.mov", Clip(frames=7))
    make_clip(folder / "deep" / "b.mp4", Clip(frames=8))
    shutil.copy(folder / "a.mp4", folder / "broken.mp4")
    truncate(folder / "broken.mp4", 0.3)
    return folder


def states(folder: Path, out: Path, settings: Any = FFV1, **how: Any) -> dict[str, str]:
    outcomes = restore_folder(folder, out, settings, **{"recursive": True} | how)
    return {outcome.name: outcome.state for outcome in outcomes}


def test_a_failed_file_stops_no_other_and_finished_files_are_not_repeated(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    events: list[BatchProgress] = []
    first = states(folder, out, on_progress=events.append)
    assert first == {
        "a.mov": "restored", "a.mp4": "restored", "broken.mp4": "failed", "deep/b.mp4": "restored"
    }  # fmt: skip
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.mkv")) == [
        "a.mov.mkv", "a.mp4.mkv", "deep/b.mkv",
    ]  # fmt: skip
    ended = [progress for progress in events if progress.outcome is not None]
    assert [progress.number for progress in ended] == [1, 2, 3, 4]
    assert any(progress.file is not None and progress.name == "a.mov" for progress in events)
    again = states(folder, out)
    assert again == {
        "a.mov": "up to date", "a.mp4": "up to date", "broken.mp4": "failed", "deep/b.mp4": "up to date"
    }  # fmt: skip


def test_stale_outputs_are_restored_again_and_foreign_files_are_kept(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    states(folder, out)
    os.utime(folder / "a.mp4", (1, 1))
    (out / "deep" / "b.mkv").write_bytes(b"the user's own")
    assert states(folder, out) == {
        "a.mov": "up to date", "a.mp4": "restored", "broken.mp4": "failed", "deep/b.mp4": "skipped"
    }  # fmt: skip
    assert (out / "deep" / "b.mkv").read_bytes() == b"the user's own"
    other = make_settings(codec="ffv1", container="mkv", strength=0.5, overwrite=True)
    assert set(states(folder, out, other).values()) == {"restored", "failed"}
    assert (out / "deep" / "b.mkv").read_bytes() != b"the user's own"


def test_a_temporary_failure_is_retried(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = batch.restore_file, []

    def flaky(source: Path, *rest: Any) -> Any:
        calls.append(source.name)
        if calls.count(source.name) == 1:
            raise ProcessingError("the graphics card is gone for a moment")
        return real(source, *rest)

    monkeypatch.setattr(batch, "restore_file", flaky)
    assert states(folder, tmp_path / "out", pattern="b.*") == {"deep/b.mp4": "restored"}
    assert states(folder, tmp_path / "third", pattern="a.mp4", retries=0) == {"a.mp4": "failed"}


def test_two_runs_on_one_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with BatchRecord(out), pytest.raises(OutputError, match="another vidrestore is working on"):
        states(folder, out)


def test_workers_take_short_files_each(folder: Path, tmp_path: Path) -> None:
    settings = make_settings(codec="ffv1", container="mkv", workers=2)
    assert states(folder, tmp_path / "out", settings) == {
        "a.mov": "restored", "a.mp4": "restored", "broken.mp4": "failed", "deep/b.mp4": "restored"
    }  # fmt: skip


def test_the_command_reports_as_table_json_and_exit_code(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    words = ["batch", str(folder), str(tmp_path / "out"), "--codec", "ffv1", "--container", "mkv"]
    assert main([*words, "--report", str(report)]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "2 restored, 1 failed"
    assert "[3/3] broken.mp4: failed: " in err
    rows = json.loads(report.read_text())
    assert [(row["name"], row["state"], row["frames"]) for row in rows] == [
        ("a.mov", "restored", 7), ("a.mp4", "restored", 6), ("broken.mp4", "failed", 0)
    ]  # fmt: skip
    assert main([*words, "--pattern", "a.*", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
