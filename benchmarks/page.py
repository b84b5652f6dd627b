"""How long the page lets people wait: opening a film of two hours, its thumbnails, a preview, a slider.

    python -m benchmarks.page [--hours H] [--film FILE] [--minute]

The film is the sample, encoded with a key frame every ten seconds, and its packets repeated. All times are of
requests to a real server, as the page makes them. Baselines: `copy` writes the file once more, as pages do
that take uploads; `decord` opens it for random access; `command` is `vidrestore preview` in a new process.
Previews are compared in seconds of the processor, which other work on the machine changes less.
`--minute` also inspects one minute of the film, and previews with what is known of it.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av

from benchmarks.known_clips import SAMPLE

KEY_FRAME_SECONDS = 10
THUMBNAILS = 16
WARM_SECONDS = 5.0
"""From the start of the server to the click: a browser is opened."""
_STEPS = ("analysing", "restoring", "coding", "processor")
QUICK_SECONDS = 8.0
"""Before the frame: what the page analyses while nothing is known of a video."""


def main() -> None:
    """Prints the measures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--minute", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = given.film or long_film(folder / "film.mp4", given.hours * 3600)
        found: dict[str, Any] = {"film": _facts(film), "baselines": _baselines(film, folder)}
        with _server(film.parent, folder / "state") as ask:
            found["opening"] = _opening(ask, film)
            found["preview"] = _previews(ask, film)
            if given.minute:
                found["with an inspection"] = _inspected(ask, long_film(film.parent / "minute.mp4", 60))
        found["ratios"] = _ratios(found)
    print(json.dumps(found, indent=1))


def long_film(path: Path, seconds: float) -> Path:
    """The sample again and again, until it is this long."""
    part = path.with_name(f"part-{path.name}")
    with av.open(str(SAMPLE)) as source, av.open(str(part), "w") as target:
        video = source.streams.video[0]
        rate = video.average_rate
        coded: Any = target.add_stream(
            "libx264", rate=rate, options={"g": "250", "keyint_min": "250", "bf": "0"}
        )
        coded.width, coded.height, coded.pix_fmt = video.width, video.height, "yuv420p"
        assert rate is not None
        for number, frame in enumerate(_frames(source, int(KEY_FRAME_SECONDS * rate))):
            frame.pts, frame.time_base = number, 1 / rate
            target.mux(coded.encode(frame))
        target.mux(coded.encode(None))
    with av.open(str(part)) as source, av.open(str(path), "w") as target:
        video = source.streams.video[0]
        copied = target.add_stream_from_template(video)
        packets = [packet for packet in source.demux(video) if packet.dts is not None]
        length = sum(packet.duration or 0 for packet in packets)
        parts = [(packet.pts, packet.dts) for packet in packets]
        for number in range(max(round(seconds / float(length * video.time_base)), 1)):
            for packet, (pts, dts) in zip(packets, parts, strict=True):
                packet.pts, packet.dts = pts + number * length, dts + number * length
                packet.stream = copied
                target.mux(packet)
    part.unlink()
    return path


def _frames(source: Any, count: int) -> Iterator[Any]:
    """The frames of the sample, forwards and backwards, without a cut."""
    frames = list(source.decode(video=0))
    there_and_back = frames + frames[-2:0:-1]
    for number in range(count):
        frame = there_and_back[number % len(there_and_back)]
        yield av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), "yuv420p")


def _facts(film: Path) -> dict[str, Any]:
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        seconds = float(video.duration * video.time_base) if video.duration and video.time_base else None
        return {"seconds": seconds, "frames": video.frames, "megabytes": round(film.stat().st_size / 1e6, 1)}


def _baselines(film: Path, folder: Path) -> dict[str, float]:
    import decord

    works = {
        "copy": lambda: shutil.copyfile(film, folder / "copy.mp4"),
        "decord": lambda: decord.VideoReader(str(film), num_threads=1),
        "command": lambda: _command(film, folder),
    }
    found = {name: _seconds(work)[0] for name, work in works.items()}
    return {**found, "processor of the command": _processor_seconds(works["command"])}


def _processor_seconds(work: Callable[[], Any]) -> float:
    """Of processes that `work` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)


def _command(film: Path, folder: Path) -> None:
    at, sheet = _middle(film), folder / "sheet.html"
    words = ["preview", film, "--at", str(at), "--start", str(at - QUICK_SECONDS), "-o", sheet]
    words += ["--fidelity", "auto", "--quiet"]
    subprocess.run([sys.executable, "-m", "vidrestore", *map(str, words)], check=True)


def _middle(film: Path) -> float:
    return float(_facts(film)["seconds"] or 60) / 2


@contextmanager
def _server(folder: Path, state: Path) -> Iterator[Callable[..., Any]]:
    """Asks a new server."""
    command = [sys.executable, "-m", "vidrestore", "web", str(folder), "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r"(http://[^/]+)/\?token=(\S+)", server.stdout.readline())
        assert found is not None

        def ask(path: str, body: Any = None, /, **query: Any) -> bytes:
            address = f"{found[1]}{path}?{urllib.parse.urlencode(query)}"
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(address, data, {"Authorization": f"Bearer {found[2]}"})
            with urllib.request.urlopen(request) as answer:
                return bytes(answer.read())

        try:
            yield ask
        finally:
            server.terminate()


def _opening(ask: Callable[..., Any], film: Path) -> dict[str, float]:
    """From the click on the film's name."""
    duration = _facts(film)["seconds"]
    time.sleep(WARM_SECONDS)
    first, _ = _seconds(lambda: ask("/api/video", path=film))
    frame, _ = _seconds(lambda: ask("/api/frame", path=film, at=0, side=1280, near=1))
    times = [(number + 0.5) * duration / THUMBNAILS for number in range(THUMBNAILS)]
    strip, _ = _seconds(lambda: [ask("/api/frame", path=film, at=at, near=1) for at in times])
    exact, _ = _seconds(lambda: ask("/api/frame", path=film, at=duration * 0.7, side=1280))
    again, _ = _seconds(lambda: ask("/api/video", path=film))
    return {
        "facts": first,
        "first frame": frame,
        "facts and first frame": round(first + frame, 2),
        "all thumbnails": strip,
        "an exact frame": exact,
        "facts again": again,
    }


def _previews(ask: Callable[..., Any], film: Path) -> dict[str, Any]:
    at = _middle(film)
    begin = {"start": at - QUICK_SECONDS}
    return {
        "first": _preview(ask, film, at, begin),
        "another strength": _preview(ask, film, at, {**begin, "strength": 0.5}),
        "another fidelity": _preview(ask, film, at, {**begin, "fidelity": 1}),
        "another time": _preview(ask, film, at + 20, {"start": at + 20 - QUICK_SECONDS}),
    }


def _inspected(ask: Callable[..., Any], film: Path) -> dict[str, Any]:
    def inspect() -> None:
        number = json.loads(ask("/api/jobs", {"kind": "inspect", "input": str(film)}))["id"]
        ask(f"/api/jobs/{number}/events")  # until it ends

    seconds, _ = _seconds(inspect)
    middle = _middle(film)
    return {
        "inspection": seconds,
        "preview": _preview(ask, film, middle, {}),
        "another time": _preview(ask, film, middle + 5, {}),
    }


def _preview(ask: Callable[..., Any], film: Path, at: float, settings: dict[str, Any]) -> dict[str, float]:
    """From the click to the answer, and the steps."""
    body = {"path": str(film), "at": at, "settings": settings}
    seconds, answer = _seconds(lambda: ask("/api/preview", body))
    steps = json.loads(answer)["seconds"]
    return {
        "click to preview": seconds,
        **{name: steps[name] for name in _STEPS},
    }


def _ratios(found: dict[str, Any]) -> dict[str, float]:
    baselines, preview = found["baselines"], found["preview"]
    shown = found["opening"]["facts and first frame"]
    previews = {name: steps["processor"] for name, steps in preview.items()}
    if "with an inspection" in found:
        previews["with an inspection"] = found["with an inspection"]["another time"]["processor"]
    of_command = baselines["processor of the command"]
    return {
        "opening to copy": round(shown / baselines["copy"], 3),
        "opening to decord": round(shown / baselines["decord"], 3),
        **{f"processor, {name} to command": round(each / of_command, 3) for name, each in previews.items()},
    }


def _seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return round(time.perf_counter() - began, 2), result


if __name__ == "__main__":
    main()
