"""One bad entry of a folder is one failed row: the batch continues, and writes its table and its report."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.user_files import snapshot
from vidrestore.cli import main
from vidrestore.errors import OutputError
from vidrestore.jobs import batch
from vidrestore.jobs.batch_record import RECORD, BatchRecord
from vidrestore.types import Report
from vidrestore.video import place_output

posix_only = pytest.mark.skipif(os.name != "posix", reason="names and permissions as POSIX has them")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restoring a file is writing its name."""

    def restore(source: Path, target: Path, settings: Any, *_: Any) -> Report:
        new = target.with_name(".new")
        new.write_bytes(source.read_bytes())
        place_output(new, target, overwrite=settings.overwrite)
        return Report(
            output=target, frames=5, frames_with_faces=0, faces=0, tracks=0, lost_frames=0, seconds=1.0,
            seconds_by_stage={}, warnings=(),
        )  # fmt: skip

    monkeypatch.setattr(batch, "restore_file", restore)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.mkv", "b.mkv", "deep/c.mkv"):
        (folder / name).write_bytes(name.encode())
    return folder


def run(folder: Path, *words: str | Path) -> tuple[int, dict[str, str]]:
    """The exit code, and each file's state by the report."""
    out, report = folder.with_name("out"), folder.with_name("report.json")
    code = main(["batch", str(folder), str(out), "-r", "--report", str(report), *map(str, words)])
    rows = json.loads(report.read_text("utf-8")) if report.exists() else []
    return code, {row["name"]: row["state"] for row in rows}


GOOD = {"a.mkv": "restored", "b.mkv": "restored", "deep/c.mkv": "restored"}


def vanished(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    check = batch.check_free_space

    def remove(place: Path, output: Path, expected: int) -> None:
        if output.name == "b.mkv":
            (folder / "b.mkv").unlink(missing_ok=True)
        check(place, output, expected)

    (folder / "a.mkv").rename(folder / "x.mkv")  # its row comes after the one that vanishes
    monkeypatch.setattr(batch, "check_free_space", remove)
    return "b.mkv"


def dangling(folder: Path, _: pytest.MonkeyPatch) -> str:
    (folder / "bad.mkv").symlink_to(folder / "nowhere.mkv")
    return "bad.mkv"


def fifo(folder: Path, _: pytest.MonkeyPatch) -> str:
    os.mkfifo(folder / "bad.mkv")
    return "bad.mkv"


def file_for_folder(folder: Path, _: pytest.MonkeyPatch) -> str:
    folder.with_name("out").mkdir()
    folder.with_name("out").joinpath("deep").write_bytes(b"the user's own")
    return "deep/c.mkv"


def long_output(folder: Path, _: pytest.MonkeyPatch) -> str:
    """Two files whose outputs keep their whole names, which are too long then."""
    name = "y" * 248
    for suffix in (".mkv", ".MKV"):
        (folder / f"{name}{suffix}").write_bytes(b"?")
    return f"{name}.MKV"


def disk_too_small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    def full(place: Path, output: Path, expected: int) -> None:
        if output.name == "b.mkv":
            raise OutputError("the disk of out/b.mkv has 2 MB left, and about 9 MB are needed")

    monkeypatch.setattr(batch, "check_free_space", full)
    return "b.mkv"


def record_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    start = BatchRecord.start

    def fail(self: BatchRecord, item: Any, fingerprint: str) -> None:
        if item.name == "b.mkv":
            raise sqlite3.OperationalError("disk I/O error")
        start(self, item, fingerprint)

    monkeypatch.setattr(BatchRecord, "start", fail)
    return "b.mkv"


def unreadable_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    scan = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    (folder / "closed").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    return "closed"


@posix_only
@pytest.mark.parametrize(
    "bad",
    [vanished, dangling, fifo, file_for_folder, long_output, disk_too_small, record_fails, unreadable_folder],
)
def test_one_bad_entry_does_not_stop_the_batch(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    bad: Callable[[Path, pytest.MonkeyPatch], str],
) -> None:
    name = bad(folder, monkeypatch)
    code, states = run(folder)
    out, err = capsys.readouterr()
    assert (code, states[name]) == (1, "failed")
    others = [state for other, state in states.items() if other != name]
    assert len(others) >= 2
    assert set(others) <= {"restored", "failed" if bad is long_output else "restored"}
    assert states.items() >= {key: GOOD[key] for key in GOOD.keys() & states.keys() - {name}}.items()
    assert out.splitlines()[-1] == f"{len(states) - list(states.values()).count('failed')} restored, " + (
        f"{list(states.values()).count('failed')} failed"
    )
    assert "Traceback" not in err
    assert "defect" not in err or bad is record_fails


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no Unicode as Linux has them")
def test_names_that_are_no_unicode_are_restored_reported_and_remembered(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mkv")
    (folder / name).write_bytes(b"?")
    assert run(folder) == (0, GOOD | {name: "restored"})
    assert (folder.with_name("out") / name).read_bytes() == b"?"
    assert run(folder) == (0, dict.fromkeys([*GOOD, name], "up to date"))


def test_an_interrupted_batch_prints_its_finished_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = batch.restore_file

    def interrupted(source: Path, *rest: Any) -> Report:
        if source.name == "b.mkv":
            raise KeyboardInterrupt
        return done(source, *rest)

    monkeypatch.setattr(batch, "restore_file", interrupted)
    assert run(folder) == (130, {"a.mkv": "restored"})
    assert capsys.readouterr().out.splitlines()[-1] == "1 restored"


@pytest.mark.parametrize(
    "report",
    ["in/a.mkv", "in/notes.txt", "out/a.mkv", "in/../out/a.mkv", "out/A.MKV", f"out/{RECORD}",
     "none/r.json", "in", "link.json", "list.json"],
)  # fmt: skip
def test_a_report_is_refused_before_the_work_where_it_would_replace_anything(
    folder: Path, capsys: pytest.CaptureFixture[str], report: str
) -> None:
    (folder / "notes.txt").write_bytes(b"of the reels")
    (folder.parent / "list.json").write_text('[{"name": "Ada"}]')
    (folder.parent / "link.json").symlink_to(folder / "notes.txt")
    before = snapshot(folder)
    out = folder.parent / "out"
    out.mkdir()
    assert main(["batch", str(folder), str(out), "--report", str(folder.parent / report)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert snapshot(folder) == before
    assert (folder.parent / "list.json").read_text() == '[{"name": "Ada"}]'
    assert {path.name for path in out.iterdir()} <= {RECORD}


def test_an_earlier_report_is_replaced(folder: Path) -> None:
    assert run(folder)[1] == GOOD
    assert run(folder)[1] == dict.fromkeys(GOOD, "up to date")


def edited(statement: str) -> Callable[[Path], None]:
    def edit(record: Path) -> None:
        with closing(sqlite3.connect(record)) as connection, connection:
            connection.execute(statement)

    return edit


def flipped(record: Path) -> None:
    content = bytearray(record.read_bytes())
    content[-40] ^= 0xFF
    record.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        edited("UPDATE files SET target = '../in/a.mkv'"),
        edited("UPDATE files SET size = 'much'"),
        edited("UPDATE files SET name = NULL"),
        edited("UPDATE files SET target = x'ff00'"),
        edited("ALTER TABLE files DROP COLUMN changed"),
        edited("DROP TABLE files"),
        edited("CREATE TABLE more (name TEXT)"),
        flipped,
    ],
)
def test_a_damaged_record_prints_one_error_line(
    folder: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None]
) -> None:
    run(folder)
    damage(folder.with_name("out") / RECORD)
    before = snapshot(folder.with_name("out"))
    capsys.readouterr()
    assert run(folder)[0] == 2
    err = capsys.readouterr().err
    assert "is damaged or was not written by vidrestore" in err
    assert err.count("\n") == 1
    assert snapshot(folder.with_name("out")) == before
    (folder.with_name("out") / RECORD).unlink()
    assert set(run(folder)[1].values()) == {"skipped"}


def test_a_folder_of_outputs_that_vanishes_fails_each_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = batch.restore_file

    def remove(source: Path, *rest: Any) -> Report:
        shutil.rmtree(folder.with_name("out"), ignore_errors=True)
        return done(source, *rest)

    monkeypatch.setattr(batch, "restore_file", remove)
    code, states = run(folder)
    assert (code, set(states.values())) == (1, {"failed"})
    assert "defect" not in capsys.readouterr().err


def test_a_batch_that_is_refused_creates_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    before = snapshot(tmp_path)
    assert main(["batch", str(folder), str(folder)]) == 2
    assert main(["batch", str(folder), str(tmp_path / "out"), "--pattern", "*.none"]) == 2
    assert main(["batch", str(tmp_path / "empty"), str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 3
    assert snapshot(tmp_path) == before
