"""What goes wrong with machines: workers are killed, disks fill up, folders vanish, files cannot be read.

The real command; for each, one sentence, and the same command again makes the file of an undisturbed run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.films import make_film
from tests.support.jobs import ENVIRONMENT, assert_equal, command, names_in, run

HOW = ("--codec", "ffv1", "--segment", "1", "--device", "cpu")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Without faces: what takes time is starting."""
    return make_film(tmp_path / "in.mkv", 200, ())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 66 MB: a little more than is asked for at least."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=69206016", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by the superuser alone")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def start(*words: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command(*words), "--quiet"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_part(folder: Path, output: str) -> None:
    end = time.monotonic() + 60
    while not list(folder.glob(f".{output}.vidrestore-parts/[0-9]*")):  # beside them lies the folder's mark
        assert time.monotonic() < end
        time.sleep(0.01)


def test_killed_workers_are_replaced_and_end_with_their_parent(source: Path, tmp_path: Path) -> None:
    running = start("restore", source, tmp_path / "out.mkv", *HOW, "--workers", "2")
    wait_for_part(tmp_path, "out.mkv")
    workers = [p for p in psutil.Process(running.pid).children() if "spawn_main" in " ".join(p.cmdline())]
    workers[0].send_signal(signal.SIGKILL)
    _, err = running.communicate(timeout=200)
    assert (running.returncode, "a worker was lost once" in err) == (0, True), err
    assert names_in(tmp_path) == ["in.mkv", "out.mkv"]

    killed = start("restore", source, tmp_path / "other.mkv", *HOW, "--workers", "2")
    wait_for_part(tmp_path, "other.mkv")
    workers = psutil.Process(killed.pid).children()
    killed.kill()
    killed.communicate()
    gone, alive = psutil.wait_procs(workers, timeout=20)
    assert (len(gone), alive) == (len(workers), [])
    assert run("resume", tmp_path / "other.mkv").returncode == 0
    for result in ("out.mkv", "other.mkv"):
        assert_equal(source, tmp_path / result)


def test_a_full_disk_keeps_what_is_done(source: Path, small_disk: Path) -> None:
    output = small_disk / "out.mkv"
    hog = small_disk / "hog"
    running = start("restore", source, output, *HOW)
    wait_for_part(small_disk, "out.mkv")
    with hog.open("wb") as file:
        left = shutil.disk_usage(small_disk).free - 200_000
        file.write(bytes(left))
    _, err = running.communicate(timeout=100)
    assert running.returncode == 2
    assert err.count("\n") == 1
    assert "free some" in err
    assert not output.exists()
    hog.unlink()
    assert run("restore", source, output, *HOW).returncode == 0
    assert_equal(source, output)


def test_a_disk_that_is_full_already_is_reported_before_any_work(source: Path, small_disk: Path) -> None:
    (small_disk / "hog").write_bytes(bytes(40_000_000))
    done = run("restore", source, small_disk / "out.mkv", *HOW)
    assert done.returncode == 2
    assert "has 29 MB left, and about 67 MB are needed; free some space" in done.stderr
    assert names_in(small_disk) == ["hog"]


def test_an_output_folder_that_vanishes_prints_one_error_line(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    running = start("restore", source, folder / "out.mkv", *HOW)
    wait_for_part(folder, "out.mkv")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    _, err = running.communicate(timeout=100)
    assert running.returncode == 2, err
    assert err.count("\n") == 1
    assert "folder" in err
    folder.mkdir(exist_ok=True)
    assert run("restore", source, folder / "out.mkv", *HOW).returncode == 0
    assert_equal(source, folder / "out.mkv")


def test_the_second_of_two_simultaneous_runs_is_refused(source: Path, tmp_path: Path) -> None:
    first = start("restore", source, tmp_path / "out.mkv", *HOW)
    wait_for_part(tmp_path, "out.mkv")
    first.send_signal(signal.SIGSTOP)
    second = run("restore", source, tmp_path / "out.mkv", *HOW)
    first.send_signal(signal.SIGCONT)
    _, err = first.communicate(timeout=100)
    assert (first.returncode, second.returncode) == (0, 2), err + second.stderr
    assert "another vidrestore is working on" in second.stderr
    assert_equal(source, tmp_path / "out.mkv")


def test_an_input_that_changes_while_it_is_read_is_refused_then_and_later(
    source: Path, tmp_path: Path
) -> None:
    running = start("restore", source, tmp_path / "out.mkv", *HOW)
    wait_for_part(tmp_path, "out.mkv")
    running.send_signal(signal.SIGSTOP)
    content, stat = source.read_bytes(), source.stat()
    os.truncate(source, len(content) // 2)
    running.send_signal(signal.SIGCONT)
    _, err = running.communicate(timeout=100)
    assert (running.returncode, err.count("\n")) == (2, 1), err
    assert not (tmp_path / "out.mkv").exists()
    # What was read of the cut file is not taken for the film's once that is whole again.
    source.write_bytes(content)
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    if run("restore", source, tmp_path / "out.mkv", *HOW).returncode:
        assert run("restore", source, tmp_path / "out.mkv", *HOW, "--restart").returncode == 0
    assert_equal(source, tmp_path / "out.mkv")
