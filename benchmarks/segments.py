"""What segments cost and what workers gain: a film in one go, in segments, and by two workers.

    python -m benchmarks.segments FOLDER [--frames 1500] [--segment 30] [--threads 1]

Makes a film of the sample's first scene, 25 frames of it in every 125 (the others have no faces), and
restores it by the command, as a user would, start included. Wall time says what a user waits on a quiet
machine; processor time (of all the command's processes) says the same of overhead on a busy one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
RUNS = {
    "in one go": ("--segment", "0"),
    "segments, 1 worker": ("--workers", "1"),
    "segments, 2 workers": ("--workers", "2"),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--frames", type=int, default=1500)
    arguments.add_argument("--segment", default="30")
    arguments.add_argument("--threads", default="1", help="of each process, so that workers compare")
    given = arguments.parse_args()
    film = given.folder / f"film-{given.frames}.mkv"
    if not film.exists():
        make_film(film, given.frames)
    base: tuple[float, float] | None = None
    print(f"{given.frames} frames, segments of {given.segment} s, {given.threads} threads a process")
    for name, words in RUNS.items():
        segment = () if "--segment" in words else ("--segment", given.segment)
        wall, processor = measured(film, given.folder / "out.mkv", given.threads, *words, *segment)
        base = base or (wall, processor)
        print(
            f"{name:<20} {wall:7.1f} s ({wall / base[0]:.3f})   processor {processor:7.1f} s "
            f"({processor / base[1]:.3f}, {processor - base[1]:+.1f} s)",
            flush=True,
        )


def measured(film: Path, output: Path, threads: str, *words: str) -> tuple[float, float]:
    """Seconds of wall and of processor time."""
    command = [
        sys.executable,
        "-m",
        "vidrestore",
        "restore",
        str(film),
        str(output),
        "--overwrite",
        "--quiet",
    ]
    command += ["--codec", "ffv1", "--device", "cpu", *words]
    before, began = os.times(), time.monotonic()
    subprocess.run(
        command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads}
    )
    after = os.times()
    processor = sum(after[2:4]) - sum(before[2:4])  # of children that have ended, and theirs
    return time.monotonic() - began, processor


def make_film(path: Path, frames: int) -> None:
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        for number, rgb in enumerate(_pictures(frames)):
            picture = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))


def _pictures(frames: int) -> Iterator[np.ndarray]:
    with av.open(str(ROOT / "samples" / "old_film.mp4")) as container:
        faces = [
            cv2.resize(picture.to_ndarray(format="rgb24"), (320, 240), interpolation=cv2.INTER_AREA)
            for picture, _ in zip(container.decode(video=0), range(25), strict=False)
        ]
    down, across = np.mgrid[:240, :320]
    for number in range(frames):
        luma = ((down // 2 + across + 3 * number) % 160 + 40).astype(np.uint8)
        yield faces[number % 125] if number % 125 < 25 else np.repeat(luma[..., None], 3, axis=2)


if __name__ == "__main__":
    main()
