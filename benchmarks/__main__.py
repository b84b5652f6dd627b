"""How fast and how large, as ratios against named baselines of the same run.

    python -m benchmarks [network|gpu|end-to-end|elsewhere|memory|scaling|start ...] [--quick] [--out FOLDER]
                         [--faces FOLDER] [--model NAME] [--count-only]

network     the published network against the plain one written from the specification; the compact one
gpu         both networks on the GPU that --device auto takes, and whole restorations with it; without a
            GPU, or with --count-only, what is counted and calculated without one
end-to-end  whole restorations against the network alone, and without faces against a bare transcode
elsewhere   whole restorations with a stand-in for a GPU against the time it is given
memory      peak resident memory at 10, 100 and 1000 seconds of video against that at 100
scaling     faces a second against batch size and threads
start       seconds from the command to the first restored frame

Without names, all. Writes benchmarks.json and benchmarks.svg, in which red lines are what is aimed at.
`--faces` names a folder of photographs for the PSNR of 16-bit arithmetic; otherwise the sample's faces serve.
Nothing here is timed in the tests: run it on a machine that does nothing else.
"""

from __future__ import annotations

from vidrestore.runtime.process_settings import configure_process

configure_process()  # as the command does, before anything below loads torch

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

import vidrestore
from benchmarks import elsewhere, end_to_end, gpu, gpu_parts, network, start
from benchmarks.charts import write_bars
from benchmarks.known_clips import make_clip
from benchmarks.memory import peak_of_restore, repeat
from vidrestore.runtime.device import resolve_device
from vidrestore.types import FloatArray

Rows = list[tuple[str, float, float | None]]
SECONDS_OF_VIDEO = (10, 100, 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--quick", action="store_true", help="one round, short clips, 720 lines alone")
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--faces", type=Path, help="folder of photographs of faces, aligned")
    parser.add_argument("--model", default="compact", help="of the end-to-end group")
    parser.add_argument("--count-only", action="store_true", help="of the gpu group: no GPU is used")
    arguments = parser.parse_args()
    if unknown := set(arguments.groups) - GROUPS.keys():
        parser.error(f"there is no group {', '.join(sorted(unknown))}; there are: {', '.join(GROUPS)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"machine": _machine(), "quick": arguments.quick}
    bars: dict[str, Rows] = {}
    for name in arguments.groups or GROUPS:
        print(f"{name} …", flush=True)
        measure, rows = GROUPS[name]
        result[name] = measure(arguments)
        bars |= rows(result[name])
        print(json.dumps(result[name], indent=2), flush=True)
        # After each group: a long run that is broken off leaves what it has.
        (arguments.out / "benchmarks.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        write_bars(arguments.out / "benchmarks.svg", bars)


def _network(arguments: argparse.Namespace) -> dict[str, Any]:
    return network.measure(1 if arguments.quick else 5, _photographs(arguments.faces))


def _network_rows(found: dict[str, Any]) -> dict[str, Rows]:
    limits = {"float32": 2.0, "bfloat16": 4.0}
    speeds = found["published_times_as_fast"]
    rows: Rows = [(name, value, limits.get(name)) for name, value in speeds.items()]
    return {
        "Published network: times as fast as the plain one": rows,
        "Compact network: milliseconds a face": [("batch 1", found["compact_milliseconds_a_face"], 120.0)],
    }


def _gpu(arguments: argparse.Namespace) -> dict[str, Any]:
    counted = {"counted_and_calculated": gpu.count(), "counted_parts": gpu_parts.count()}
    device = resolve_device("auto")
    if arguments.count_only or device.type == "cpu":
        return counted
    rounds, frames = (1, 100) if arguments.quick else (5, 500)
    with tempfile.TemporaryDirectory() as folder:
        measured = gpu.measure(device, rounds, Path(folder), frames)
    return counted | measured | {"parts": gpu_parts.measure(device, 4 * rounds)}


def _gpu_rows(found: dict[str, Any]) -> dict[str, Rows]:
    rows: dict[str, Rows] = {
        f"{name.capitalize()} network: faces a second, calculated": [
            (kind, calculated["faces_a_second"], None) for kind, calculated in counts["calculated"].items()
        ]
        for name, counts in found["counted_and_calculated"].items()
    }
    for name, title, limit in (("published", "Published", 200.0), ("compact", "Compact", 3000.0)):
        speeds = found.get(f"{name}_faces_a_second_by_batch", {})
        best = max(speeds, key=lambda batch: speeds[batch], default="")
        rows[f"{title} network on the GPU: faces a second"] = [
            (f"batch {batch}", speed, limit if batch == best else None) for batch, speed in speeds.items()
        ]
    return {title: row for title, row in rows.items() if row}


def _end_to_end(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        frames, rounds = (50, 1) if arguments.quick else (150, 3)
        job = end_to_end.Job(folder=Path(folder), frames=frames, rounds=rounds, model=arguments.model)
        return end_to_end.measure(job, (720,) if arguments.quick else (480, 720, 1080))


def _end_to_end_rows(found: dict[str, Any]) -> dict[str, Rows]:
    clips = {name: value for name, value in found.items() if isinstance(value, dict)}
    limits = {"720 lines, 1 faces": 1.15, end_to_end.PUBLISHED_CLIP: 1.15, "720 lines, 0 faces": 1.25}
    return {
        "Whole restoration: times its baseline": [(n, v["ratio"], limits.get(n)) for n, v in clips.items()],
        "Whole restoration: times the network and a bare transcode together": [
            (n, v["ratio_to_network_and_transcode"], None) for n, v in clips.items()
        ],
        "Whole restoration: frames a second": [(n, v["frames_a_second"], None) for n, v in clips.items()],
    }


def _elsewhere(arguments: argparse.Namespace) -> dict[str, Any]:
    """With time enough for two cores to keep up, and with none at all."""
    with tempfile.TemporaryDirectory() as folder:
        frames, rounds = (100, 1) if arguments.quick else (300, 3)
        return elsewhere.measure(Path(folder), frames, rounds, (80.0, 0.0))


def _elsewhere_rows(found: dict[str, Any]) -> dict[str, Rows]:
    runs = {name: value for name, value in found.items() if isinstance(value, dict)}
    return {
        "Network elsewhere: times its own time": [
            (n, v["ratio"], 1.15) for n, v in runs.items() if v["ratio"]
        ],
        "Network elsewhere: frames a second": [(n, v["frames_a_second"], None) for n, v in runs.items()],
    }


def _memory(arguments: argparse.Namespace) -> dict[str, Any]:
    """Of a small picture: what is asked is whether it grows."""
    lengths = SECONDS_OF_VIDEO[:2] if arguments.quick else SECONDS_OF_VIDEO
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        piece = make_clip(Path(folder) / "piece.mp4", lines=480, faces=1, frames=250)
        for seconds in lengths:
            clip = Path(folder) / f"{seconds}.mp4"
            repeat(piece, clip, seconds // 10)
            peaks[str(seconds)], _ = peak_of_restore(clip, [])
    result: dict[str, Any] = {"baseline": "100 seconds", "peak_bytes_by_seconds": peaks}
    result["ratio"] = {n: peak / peaks["100"] for n, peak in peaks.items()}
    return result


def _memory_rows(found: dict[str, Any]) -> dict[str, Rows]:
    rows: Rows = [(f"{n} seconds of video", v, 1.05) for n, v in found["ratio"].items()]
    return {"Peak memory: times that of 100 seconds": rows}


def _scaling(arguments: argparse.Namespace) -> dict[str, Any]:
    cores = os.cpu_count() or 1
    threads = tuple(n for n in (1, 2, 4, 8, 16, 32, 64) if n <= cores)
    return network.scaling(1 if arguments.quick else 5, (1, 2, 4, 8, 16), threads)


def _scaling_rows(found: dict[str, Any]) -> dict[str, Rows]:
    by_threads = found.get("faces_a_second_by_threads", {})
    rows: Rows = [(f"batch {n}", speed, None) for n, speed in found["faces_a_second_by_batch"].items()]
    rows += [(f"{n} threads, batch 4", speed, None) for n, speed in by_threads.items()]
    return {"Compact network: faces a second": rows}


def _start(arguments: argparse.Namespace) -> dict[str, Any]:
    return start.measure(2 if arguments.quick else 5)


def _start_rows(found: dict[str, Any]) -> dict[str, Rows]:
    rows: Rows = [(name, seconds, 5.0) for name, seconds in found["least"].items()]
    return {"From the command to the first restored frame: seconds": rows}


def _photographs(folder: Path | None) -> list[FloatArray] | None:
    """(256, 256, 3) RGB in 0..1 of the first 16, a quarter as sharp as they were."""
    if folder is None:
        return None
    made = []
    for path in sorted(folder.glob("*.jpg"))[:16]:
        picture = np.asarray(cv2.imread(str(path)), np.float32)[:, :, ::-1] / 255
        small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA)
        made.append(np.asarray(cv2.resize(small, (256, 256), interpolation=cv2.INTER_CUBIC)).clip(0, 1))
    return made


def _machine() -> dict[str, Any]:
    return {
        "vidrestore": vidrestore.__version__,
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load": os.getloadavg() if hasattr(os, "getloadavg") else None,
    }


Measure = Callable[[argparse.Namespace], dict[str, Any]]
GROUPS: dict[str, tuple[Measure, Callable[[dict[str, Any]], dict[str, Rows]]]] = {
    "network": (_network, _network_rows),
    "gpu": (_gpu, _gpu_rows),
    "end-to-end": (_end_to_end, _end_to_end_rows),
    "elsewhere": (_elsewhere, _elsewhere_rows),
    "memory": (_memory, _memory_rows),
    "scaling": (_scaling, _scaling_rows),
    "start": (_start, _start_rows),
}


if __name__ == "__main__":
    main()
