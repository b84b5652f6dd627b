"""Peak memory of `vidrestore restore` for a clip and for the same clip several times over.

    python -m benchmarks.memory CLIP [--times 10] [-- OPTION...]

Options after `--` are handed to the command. The longer clip is made by copying packets. A ratio near one
says that memory does not depend on length. Not for Windows: it reads the child's resource usage.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory for a clip and for the clip repeated.")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("options", nargs="*", metavar="OPTION", help="for vidrestore restore, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repeated = Path(folder) / f"repeated{arguments.clip.suffix}"
        repeat(arguments.clip, repeated, arguments.times)
        once, once_seconds = peak_of_restore(arguments.clip, arguments.options)
        print(f"once      {once / 2**20:8.0f} MiB  {once_seconds:7.1f} s", flush=True)
        often, often_seconds = peak_of_restore(repeated, arguments.options)
    print(f"{arguments.times:<4} times{often / 2**20:9.0f} MiB  {often_seconds:7.1f} s")
    print(f"ratio     {often / once:8.3f}")


def repeat(clip: Path, target: Path, times: int) -> None:
    """The clip several times over, packets as they are; the few that would overlap at a seam are left out."""
    with av.open(str(clip)) as container:
        length = _length(container)
    with av.open(str(target), "w") as output:
        outputs: dict[int, av.stream.Stream] = {}
        last: dict[int, int] = {}
        for turn in range(times):
            with av.open(str(clip)) as container:
                streams = [*container.streams.video[:1], *container.streams.audio]
                if turn == 0:
                    outputs = {stream.index: output.add_stream_from_template(stream) for stream in streams}
                for packet in container.demux(streams):
                    if packet.dts is None or packet.pts is None:
                        continue
                    shift = round(turn * length / Fraction(packet.time_base))
                    if packet.dts + shift <= last.get(packet.stream_index, packet.dts + shift - 1):
                        continue
                    last[packet.stream_index] = packet.dts + shift
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    packet.stream = outputs[packet.stream_index]
                    output.mux(packet)


def peak_of_restore(clip: Path, options: list[str]) -> tuple[int, float]:
    """Peak resident bytes of one restoration, and its seconds; raises where the command failed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "vidrestore",
            "restore",
            str(clip),
            str(Path(folder) / f"out{clip.suffix}"),
        ]
        began = time.monotonic()
        with subprocess.Popen([*command, "--overwrite", *options], stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit, time.monotonic() - began


def _length(container: av.container.InputContainer) -> Fraction:
    """Seconds of the video stream, one frame after the last one's begin."""
    video = container.streams.video[0]
    if video.duration is not None and video.time_base:
        return video.duration * Fraction(video.time_base)
    return Fraction(container.duration or 0, av.time_base)


if __name__ == "__main__":
    main()
