"""The VapourSynth filter against the command, on the same clip; frames compared, and a seek backward.

    python -m benchmarks.vapoursynth_filter [CLIP] [--rounds N]

Both write y4m into a pipe that counts and hashes the frames: `vidrestore restore CLIP - --container y4m`, and
`vspipe` with BestSource and the filter. The start counts for both. Prints frames a second of each, by the
wall clock and of CPU (so that other programs count little), their ratio, whether all frames are equal, and
what a frame costs in order and after seeks backward. Needs the extra [vapoursynth]. Not for Windows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.known_clips import make_clip

FRAMES = 100
SEEKS = ((60, 20), (90, 5))
"""A frame, and an earlier one that is asked for next."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clip", type=Path, nargs="?", help="default: 480 lines, one face, 100 frames")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = arguments.clip or make_clip(Path(folder) / "clip.mp4", lines=480, faces=1, frames=FRAMES)
        result = measure(clip, Path(folder), arguments.rounds)
    print(json.dumps(result, indent=2))
    return int(not (result["frames_equal"] and result["frames_after_seeks_equal"]))


def measure(clip: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """The numbers that this module prints."""
    script = folder / "script.vpy"
    script.write_text(_SCRIPT.format(clip=str(clip)), encoding="utf-8")
    commands = {
        "command": [
            sys.executable,
            "-m",
            "vidrestore",
            "restore",
            str(clip),
            "-",
            "--container",
            "y4m",
            "-q",
        ],
        "filter": [str(Path(sys.executable).with_name("vspipe")), "-c", "y4m", str(script), "-"],
    }
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "XDG_CONFIG_HOME": str(folder),  # where vspipe looks for its Python
    }
    subprocess.run([sys.executable, "-m", "vapoursynth", "config"], check=True, env=environment)
    speeds: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    frames: dict[str, list[str]] = {}
    for _ in range(rounds):
        for name, command in commands.items():
            began = time.perf_counter()
            frames[name], cpu = _frames_of(command, environment)
            count = len(frames[name])
            speeds[name].append((count / (time.perf_counter() - began), count / cpu))
    return {
        "frames": len(frames["command"]),
        "frames_a_second": {name: [round(wall, 2) for wall, _ in found] for name, found in speeds.items()},
        "frames_a_second_of_cpu": {name: [round(c, 2) for _, c in found] for name, found in speeds.items()},
        "ratio_of_filter_to_command": {
            clock: round(statistics.median(_ratios(speeds, index)), 3)
            for index, clock in enumerate(("wall", "cpu"))
        },
        "frames_equal": frames["filter"] == frames["command"],
        **_seeks(clip),
    }


def _ratios(speeds: dict[str, list[tuple[float, float]]], clock: int) -> list[float]:
    return [f[clock] / c[clock] for f, c in zip(speeds["filter"], speeds["command"], strict=True)]


def _frames_of(command: list[str], environment: Mapping[str, str]) -> tuple[list[str], float]:
    """A hash of each frame's samples in the y4m that the command writes, and its seconds of CPU."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdout is not None
        header = process.stdout.readline().decode()
        words = {word[0]: word[1:] for word in header.split()[1:]}
        if "W" not in words:
            raise SystemExit(f"this writes no y4m: {' '.join(command)}")
        if not words.get("C", "420").startswith("420"):
            raise SystemExit("this measures clips in 4:2:0 and 8 bits")
        size = int(words["W"]) * int(words["H"]) * 3 // 2
        hashes = []
        while process.stdout.readline():
            hashes.append(hashlib.sha256(process.stdout.read(size)).hexdigest())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return hashes, usage.ru_utime + usage.ru_stime


def _seeks(clip: Path) -> dict[str, Any]:
    """Seconds a frame in order, and of frames after seeks backward; whether those are the same as before."""
    import vapoursynth as vs

    from vidrestore.vapoursynth import restore

    restored = restore(vs.core.bs.VideoSource(str(clip), cachemode=0))
    vs.core.max_cache_size = 1  # MiB: so that the cache does not answer
    last = max(max(pair) for pair in SEEKS)
    began = time.perf_counter()
    in_order = [_hash(restored, number) for number in range(last + 1)]
    seconds = time.perf_counter() - began
    again, times = {}, []
    for later, earlier in SEEKS:
        again[later] = _hash(restored, later)
        began = time.perf_counter()
        again[earlier] = _hash(restored, earlier)
        times.append(time.perf_counter() - began)
    return {
        "seconds_a_frame_in_order": round(seconds / (last + 1), 3),
        "seconds_of_a_frame_after_a_seek_backward": [round(value, 2) for value in times],
        "frames_after_seeks_equal": all(in_order[number] == found for number, found in again.items()),
    }


def _hash(clip: Any, number: int) -> str:
    with clip.get_frame(number) as frame:
        return hashlib.sha256(
            b"".join(bytes(frame[plane]) for plane in range(frame.format.num_planes))
        ).hexdigest()


_SCRIPT = """\
import vapoursynth as vs
from vidrestore.vapoursynth import restore

restore(vs.core.bs.VideoSource({clip!r}, cachemode=0)).set_output()
"""

if __name__ == "__main__":
    sys.exit(main())
