"""The real command with pipes, signals and damaged inputs. Few tests: each start takes seconds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.support.clips import Clip, make_clip, packets_of
from tests.support.damage import zero_packets
from tests.support.shared import ROOT
from tests.support.signals import skip_where_ignored
from vidrestore.runtime.marked_folder import is_marked

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "vidrestore", "restore"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
LONG = Clip(frames=250, size=(320, 240), time_base=Fraction(1, 1000), sounds=("aac",))
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """Quietly: on a busy machine a line of progress falls due among the errors."""
    pipe = subprocess.PIPE
    command = [*COMMAND, "--quiet", *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT,
        preexec_fn=hear_interrupts if os.name == "posix" else None,
    )  # fmt: skip


def hear_interrupts() -> None:
    """A command that a shell runs in the background, or under nohup, inherits ignored signals."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)


def wait_for(what: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def error_lines(process: subprocess.Popen[bytes]) -> list[str]:
    assert process.stderr is not None
    return process.stderr.read().decode().strip().splitlines()


def test_two_commands_in_a_pipe_pass_on_picture_and_sound(tmp_path: Path) -> None:
    clip = Clip(frames=12, time_base=Fraction(1, 1000), sounds=("aac",))
    source = make_clip(tmp_path / "in.mkv", clip)
    first = subprocess.Popen([*COMMAND, str(source), "-"], stdout=subprocess.PIPE, env=ENVIRONMENT)
    second = subprocess.run(
        [*COMMAND, "-", "out.mkv"],
        cwd=tmp_path, env=ENVIRONMENT, stdin=first.stdout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (first.wait(), second.returncode) == (0, 0), second.stderr
    assert "12 frames" in second.stdout
    original, result = packets_of(source, "audio")[0], packets_of(tmp_path / "out.mkv", "audio")[0]
    assert [packet[2] for packet in result] == [packet[2] for packet in original]
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert len(list(container.decode(video=0))) == 12


@posix_only
def test_an_output_pipe_that_is_closed_by_its_reader_gives_one_error_message(tmp_path: Path) -> None:
    process = start(make_clip(tmp_path / "in.mkv", LONG), "-")
    assert process.stdout is not None
    assert len(process.stdout.read(100_000)) == 100_000
    process.stdout.close()
    (line,) = error_lines(process)
    assert line == "vidrestore: error: cannot write -: the program that reads it has ended"
    assert process.wait() == 2


@posix_only
@pytest.mark.parametrize(
    "by", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGTERM SIGHUP SIGINT SIGTERM"]
)
def test_an_interrupt_leaves_nothing_but_the_input(tmp_path: Path, by: str) -> None:
    skip_where_ignored(*by.split())
    source = make_clip(tmp_path / "in.mkv", LONG)
    before = source.read_bytes()
    process = start(source, tmp_path / "out.mkv")
    wait_for(lambda: list(tmp_path.glob(".out.partial-*")))
    for name in by.split():
        process.send_signal(getattr(signal, name))
        time.sleep(0.05)
    assert error_lines(process) == ["vidrestore: error: interrupted; nothing is kept"]
    assert process.wait() == 130
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]
    assert source.read_bytes() == before


@posix_only
def test_an_interrupted_batch_ends_its_workers_and_prints_what_is_done(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    make_clip(tmp_path / "in" / "a.mkv", Clip(frames=2))
    for name in ("b.mkv", "c.mkv"):
        make_clip(tmp_path / "in" / name, LONG)
    report = tmp_path / "report.json"
    words = ["batch", tmp_path / "in", tmp_path / "out", "--workers", "2", "--report", report]
    process = subprocess.Popen(
        [*COMMAND[:-1], *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    assert process.stderr is not None
    assert any("a.mkv: restored" in line for line in process.stderr)
    wait_for(lambda: list((tmp_path / "out").glob(".[bc].partial-*")), 120)
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out.splitlines()[-1] == "1 restored"
    assert [row["name"] for row in json.loads(report.read_text())] == ["a.mkv"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.mkv", ".vidrestore-batch"}


@posix_only
@pytest.mark.parametrize("name", ["out.mkv", "%03d.png"])
def test_a_run_removes_temporary_files_of_killed_runs_but_not_of_live_ones(tmp_path: Path, name: str) -> None:
    def partial() -> set[str]:
        # A run that is killed before its folder has the marker leaves an empty folder, which nobody removes.
        return {path.name for path in tmp_path.iterdir() if ".partial-" in path.name and is_marked(path)}

    source = make_clip(tmp_path / "in.mkv", LONG)
    killed = start(source, tmp_path / name)
    wait_for(partial)
    killed.kill()
    killed.wait()
    (left,) = partial()
    living = start(source, tmp_path / name)
    wait_for(lambda: partial() - {left})
    living.send_signal(signal.SIGSTOP)
    (writes,) = partial() - {left}
    short = ("--end", "0.2", "--overwrite")
    done = subprocess.run(
        [*COMMAND, "--quiet", source, tmp_path / name, *short], env=ENVIRONMENT, check=False
    )
    assert (done.returncode, partial()) == (0, {writes})
    living.send_signal(signal.SIGINT)
    living.send_signal(signal.SIGCONT)
    assert living.wait(timeout=60) == 130
    assert partial() == set()


@posix_only
def test_an_interrupt_is_raised_while_a_pipe_is_silent(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", LONG)
    process = start("-", tmp_path / "out.mkv")
    assert process.stdin is not None
    process.stdin.write(source.read_bytes()[:60_000])  # and no end
    process.stdin.flush()
    wait_for(lambda: list(tmp_path.glob(".out.partial-*")))
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert error_lines(process) == ["vidrestore: error: interrupted; nothing is kept"]
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_much_damage_has_a_code_of_its_own_and_the_file_is_kept(tmp_path: Path) -> None:
    clip = Clip(frames=20, codec="mjpeg", pixel_format="yuvj420p")
    source = zero_packets(make_clip(tmp_path / "in.mov", clip), [7])
    done = subprocess.run(
        [*COMMAND, "--quiet", source, tmp_path / "out.mov"],
        env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr == "vidrestore: warning: 1 of 20 frames could not be decoded\n"
    with av.open(str(tmp_path / "out.mov")) as container:
        assert len(list(container.decode(video=0))) == 20
