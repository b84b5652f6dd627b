"""The real process, killed at any moment and started again, writes the same file as an undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.clips import packets_of
from tests.support.films import make_film
from tests.support.jobs import ENVIRONMENT, assert_equal, command, finished_segment_files, names_in, run

KILLS = 3
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")]


def test_a_run_killed_at_random_moments_makes_the_same_file(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", 130, (range(28, 36), range(92, 98)))
    undisturbed, killed = tmp_path / "undisturbed.mkv", tmp_path / "killed.mkv"
    how = ("--codec", "ffv1", "--segment", "1", "--device", "cpu")
    began = time.monotonic()
    assert run("restore", source, undisturbed, *how).returncode == 0
    whole_run = time.monotonic() - began
    chance = random.Random(7)
    before: dict[str, int] = {}
    for _ in range(KILLS):
        process = subprocess.Popen(
            command("restore", source, killed, *how), env=ENVIRONMENT, stderr=subprocess.DEVNULL
        )
        # From before the journal is there to after the last segment.
        time.sleep(chance.uniform(0.1, 1.0) * whole_run)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if killed.exists():
            break
        now = finished_segment_files(killed)
        assert before.items() <= now.items(), "a segment that was done was done again"
        before = now
    if not killed.exists():
        last = run("restore", source, killed, *how)
        assert (last.returncode, last.stderr.count("error")) == (0, 0), last.stderr
    assert_equal(undisturbed, killed)
    assert packets_of(killed, "video") == packets_of(undisturbed, "video")
    assert names_in(tmp_path) == ["in.mkv", "killed.mkv", "undisturbed.mkv"]
