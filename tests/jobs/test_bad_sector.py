"""A sector of the input that cannot be read: one error message, no partial output, finished segments kept.

The real command with a real EIO, and the same command again after the disk is well.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.bad_sector import bad_sector, make_preload
from tests.support.clips import Clip, make_clip
from tests.support.films import make_film
from tests.support.footage import Footage
from tests.support.jobs import ENVIRONMENT, assert_equal, command, finished_segment_files, names_in

pytestmark = pytest.mark.slow

ERROR = "in.mkv cannot be read: Input/output error; check the disk or the network it is on, then try again"
KEPT = " kept: run the same command again to continue)"
HOW = ("--codec", "ffv1", "--device", "cpu", "--quiet")
SEGMENTS = (*HOW, "--segment", "2")


@pytest.fixture(scope="module")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_preload(tmp_path_factory.mktemp("preload"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """8 MB without faces: more than its start, middle and end, which identify a file."""
    return make_film(tmp_path / "in.mkv", 300, (), Footage(codec="rawvideo"))


def run(
    *words: str | Path, bad: dict[str, str] | None = None, stdin: Path | None = None
) -> subprocess.CompletedProcess[str]:
    with (stdin or Path("/dev/null")).open("rb") as file:
        return subprocess.run(
            command(*words), env=ENVIRONMENT | (bad or {}), stdin=file, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip


def assert_refused(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert ERROR in done.stderr


def test_a_bad_sector_without_segments_gives_one_error_message_and_no_file(
    source: Path, tmp_path: Path, preload: Path
) -> None:
    output = tmp_path / "out.mkv"
    assert_refused(run("restore", source, output, *HOW, bad=bad_sector(preload, source, 0.7)))
    assert names_in(tmp_path) == ["in.mkv"]
    assert run("restore", source, output, *HOW).returncode == 0
    assert_equal(source, output)


def test_a_bad_sector_is_not_taken_for_the_end_of_a_broadcast(tmp_path: Path, preload: Path) -> None:
    """Its demuxer hid the error altogether: a third of the video was lost, and the exit code was 0."""
    clip = Clip(frames=400, size=(320, 240), gop=20, sounds=("aac",))
    source = make_clip(tmp_path / "in.ts", clip)
    bad = bad_sector(preload, source, 2 / 3)
    bad["BAD_STOP"] = str(source.stat().st_size)
    done = run("restore", source, tmp_path / "out.ts", *HOW[2:], bad=bad)
    assert done.returncode == 1
    assert "in.ts cannot be read: Input/output error" in done.stderr


def test_finished_segments_are_kept_after_a_bad_sector_and_reused(
    source: Path, tmp_path: Path, preload: Path
) -> None:
    output = tmp_path / "out.mkv"
    first = run("restore", source, output, *SEGMENTS, bad=bad_sector(preload, source, 0.65))
    assert_refused(first)
    assert KEPT in first.stderr
    before = finished_segment_files(output)
    assert before
    assert not output.exists()
    second = run("restore", source, output, *SEGMENTS, bad=bad_sector(preload, source, 0.85))
    assert_refused(second)
    now = finished_segment_files(output)
    assert before.items() < now.items(), "more is done, and what was done was not done again"
    assert run("resume", output, "--quiet").returncode == 0
    assert_equal(source, output)
    assert names_in(tmp_path) == ["in.mkv", "out.mkv"]


def test_segments_of_other_workers_are_kept_if_one_worker_cannot_read(
    source: Path, tmp_path: Path, preload: Path
) -> None:
    output = tmp_path / "out.mkv"
    how = (*SEGMENTS, "--workers", "2")
    bad = bad_sector(preload, source, 0.7, only_for="spawn_main")
    done = run("restore", source, output, *how, bad=bad)
    assert_refused(done)
    assert KEPT in done.stderr
    assert finished_segment_files(output)
    assert run("restore", source, output, *how).returncode == 0
    assert_equal(source, output)
    assert names_in(tmp_path) == ["in.mkv", "out.mkv"]


def test_a_batch_continues_after_a_bad_sector_and_the_next_run_retries_the_file(
    tmp_path: Path, preload: Path
) -> None:
    folder, out, report = tmp_path / "in", tmp_path / "out", tmp_path / "report.json"
    folder.mkdir()
    hit = make_film(folder / "in.mkv", 300, (), Footage(codec="rawvideo"))
    make_clip(folder / "other.mp4", Clip(frames=5))
    words = ("batch", folder, out, *HOW, "--report", report)
    done = run(*words, bad=bad_sector(preload, hit, 0.7))
    assert done.returncode == 1
    assert ERROR in done.stderr
    rows = {row["name"]: row for row in json.loads(report.read_text())}
    assert [rows[name]["state"] for name in ("in.mkv", "other.mp4")] == ["failed", "restored"]
    assert rows["in.mkv"]["attempts"] == 2
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == ["other.mp4"]
    assert run(*words).returncode == 0
    rows = {row["name"]: row for row in json.loads(report.read_text())}
    assert [rows[name]["state"] for name in ("in.mkv", "other.mp4")] == ["restored", "up to date"]
    assert_equal(hit, out / "in.mkv")


def test_a_read_error_of_standard_input_is_reported(tmp_path: Path, preload: Path) -> None:
    source = make_film(tmp_path / "in.nut", 60, (), Footage(codec="rawvideo"))
    done = run("restore", "-", tmp_path / "out.mkv", *HOW, bad=bad_sector(preload, source, 0.6), stdin=source)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "standard input cannot be read: Input/output error" in done.stderr
    assert names_in(tmp_path) == ["in.nut"]
