"""What an evaluation of a long video costs, beside decoding its two files alone.

    python -m benchmarks.long_evaluation [--minutes 1 2] [--lines 1080] [--faces 1]

A known clip of two seconds with `--faces` faces is coded twice, as truth and (at a lower rate) as result, and
repeated to each length by copying packets. For each length two processes run, one after the other: one
decodes both files frame by frame (the baseline), the other is `vidrestore evaluate RESULT --truth TRUTH`. Of
each the time on the wall and on the processor, and the peak of its resident memory are printed. Several
lengths show what grows with the length. Not for Windows: it reads the child's resource usage.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.known_clips import RATE, SIZES, make_clip
from benchmarks.memory import repeat
from vidrestore.settings import Settings
from vidrestore.video import make_writer, open_input, probe, read_frames

_PERIOD_SECONDS = 2
_DECODE = """
import sys
from pathlib import Path
from vidrestore.video import probe, read_frames
streams = [read_frames(Path(name), probe(Path(name))) for name in sys.argv[1:]]
print(sum(1 for _ in zip(*streams)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took."""

    what: str
    video_minutes: float
    wall_seconds: float
    processor_seconds: float
    peak_mib: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 2.0])
    parser.add_argument("--lines", type=int, choices=sorted(SIZES), default=1080)
    parser.add_argument("--faces", type=int, default=1)
    arguments = parser.parse_args()
    for number, cost in enumerate(costs(arguments.minutes, arguments.lines, arguments.faces)):
        if number == 0:
            print("| video | process | wall | processor | wall a minute of video | peak memory |")
            print("|---|---|---|---|---|---|")
        print(row(cost), flush=True)


def costs(minutes: Sequence[float], lines: int, faces: int) -> Iterator[Cost]:
    """The costs of decoding and of evaluating, length by length."""
    with tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "truth.mp4", Path(folder) / "result.mp4"
        make_clip(short[0], lines=lines, faces=faces, frames=int(_PERIOD_SECONDS * RATE))
        _code_again(short[0], short[1])
        for length in minutes:
            times = max(round(length * 60 / _PERIOD_SECONDS), 1)
            files = [Path(folder) / f"{path.stem}_{times}.mp4" for path in short]
            for one, many in zip(short, files, strict=True):
                repeat(one, many, times)
            real = float(Fraction(times * _PERIOD_SECONDS, 60))
            truth, result = map(str, files)
            yield measure("decoding both files", real, [sys.executable, "-c", _DECODE, truth, result])
            command = [sys.executable, "-m", "vidrestore", "evaluate", result, "--truth", truth]
            yield measure("evaluate --truth", real, command)


def measure(what: str, video_minutes: float, command: Sequence[str]) -> Cost:
    """Runs the command and takes its cost. Raises CalledProcessError where it fails."""
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(
        what=what,
        video_minutes=video_minutes,
        wall_seconds=time.monotonic() - began,
        processor_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024),
    )


def row(cost: Cost) -> str:
    """The cost as a line of a Markdown table."""
    a_minute = cost.wall_seconds / cost.video_minutes
    return (
        f"| {cost.video_minutes:.2f} min | {cost.what} | {cost.wall_seconds:.0f} s "
        f"| {cost.processor_seconds:.0f} s | {a_minute:.0f} s | {cost.peak_mib:.0f} MiB |"
    )


def _code_again(source: Path, target: Path) -> None:
    given = open_input(source)
    info = probe(given)
    settings = Settings(codec="h264", crf=28, preset="veryfast")
    with make_writer(target, info, source=given, **settings.encoding_options()) as writer:
        for frame in read_frames(given, info):
            writer.write(frame)


if __name__ == "__main__":
    main()
