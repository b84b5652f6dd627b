"""Seconds from the start of a new process to its first restored frame."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.known_clips import SAMPLE, make_clip

_FIRST_FRAME = """\
import sys, vidrestore
vidrestore.configure_process()  # as the command does
vidrestore.restore(sys.argv[1], sys.argv[2], on_progress=lambda _: print("written", flush=True))
"""


def measure(rounds: int) -> dict[str, Any]:
    """The whole command on a clip of one frame with a face; the sample's first frame, which waits for more.

    Of the sample, frames to come are looked at and restored with the first, as in each film.
    """
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "one.mp4", lines=480, faces=1, frames=1)
        one = [_command(clip, Path(folder) / f"{number}.mp4") for number in range(rounds)]
        film = [_first_frame(Path(folder) / f"film{number}.mp4") for number in range(rounds)]
    return {
        "seconds_of_a_clip_of_one_frame": one,
        "seconds_to_the_first_frame_of_the_sample": film,
        "least": {"a clip of one frame": min(one), "the sample's first frame": min(film)},
    }


def _command(clip: Path, output: Path) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "vidrestore", "restore", str(clip), str(output)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _first_frame(output: Path) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-c", _FIRST_FRAME, str(SAMPLE), str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        seconds = time.perf_counter() - began
        process.kill()
    if said != "written\n":
        raise RuntimeError("the sample was not restored")
    return seconds
