"""The Python interface in memory: later calls against the first one, and memory over a long stream.

    python -m benchmarks.restorer_calls images [--rounds N]
    python -m benchmarks.restorer_calls memory [--frames N] [--with-faces]

images  milliseconds of `Restorer(...)` and its first `image`, and of later ones, on a frame of the sample,
        which has two faces; the ratios of later ones to the first, and to a new Restorer for each picture
memory  resident memory while `Restorer.frames` is fed small frames, noise on a gradient: after each
        thousand, and the ratio of the last to the first thousand. --with-faces: in 40 of each 1000 there is
        the sample's face

Each in a process of its own. Linux: it reads /proc.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import vidrestore
from benchmarks.known_clips import SAMPLE, portraits

WIDTH, HEIGHT = 160, 128
FACES_IN, FACE_EVERY = 40, 1000
"""Frames with a face, at the beginning of each so many."""
_PERIOD = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("images", "memory"))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--with-faces", action="store_true")
    arguments = parser.parse_args()
    if arguments.what == "images":
        result = measure_images(arguments.rounds)
    else:
        result = measure_memory(arguments.frames, with_faces=arguments.with_faces)
    print(json.dumps(result, indent=2))


def measure_images(rounds: int) -> dict[str, object]:
    """Milliseconds of the first call, loading included, and of `rounds` later ones."""
    picture = _sample_frame()
    began = _clocks()
    with vidrestore.Restorer() as restorer:
        loaded = _clocks()
        faces = len(restorer.image(picture).faces)
        first = _clocks()
        later = []
        for _ in range(rounds):
            start = _clocks()
            restorer.image(picture)
            later.append(_clocks() - start)
    middle = np.median(later, 0)
    return {
        "faces": faces,
        "loading": _words(loaded - began),
        "first_call": _words(first - loaded),
        "second_call": _words(later[0]),
        "later_calls_median": _words(middle),
        "ratio_of_later_calls_to_the_first": _ratio(middle, first - loaded),
        "ratio_of_later_calls_to_a_new_restorer": _ratio(middle, first - began),
    }


def measure_memory(frames: int, *, with_faces: bool) -> dict[str, object]:
    """MiB that are resident after each thousand frames."""
    resident: dict[int, float] = {}
    restored = 0
    began = time.perf_counter()
    with vidrestore.Restorer() as restorer:
        for number, result in enumerate(restorer.frames(picture_stream(frames, with_faces=with_faces)), 1):
            restored += len(result.faces)
            if number % 1000 == 0:
                resident[number] = round(_resident_mib(), 1)
                print(number, resident[number], flush=True)
    first, last = resident[min(resident)], resident[max(resident)]
    return {
        "frames": frames,
        "faces_restored": restored,
        "frames_a_second": round(frames / (time.perf_counter() - began), 1),
        "resident_mib": resident,
        "ratio_of_last_to_first_thousand": round(last / first, 4),
    }


def picture_stream(frames: int, *, with_faces: bool) -> Iterator[NDArray[np.uint8]]:
    """(HEIGHT, WIDTH, 3) RGB: noise that comes back every `_PERIOD` frames; never the same array twice."""
    noise = np.random.default_rng(0).normal(0, 4, (_PERIOD, HEIGHT, WIDTH, 1))
    grey = np.linspace(60, 160, WIDTH)[None, :, None]
    pictures = [
        np.clip(grey + noise[index], 0, 255).repeat(3, 2).astype(np.uint8) for index in range(_PERIOD)
    ]
    faces = portraits(96)
    for number in range(frames):
        picture = pictures[number % _PERIOD].copy()
        if with_faces and number % FACE_EVERY < FACES_IN:
            face = faces[number % len(faces)]
            picture[16:112, 32:128] = np.clip(face * 255, 0, 255).astype(np.uint8)
        yield picture


def _clocks() -> NDArray[np.float64]:
    """Milliseconds on the wall, and of the processor: beside other work only the second means much."""
    return np.array([time.perf_counter(), time.process_time()]) * 1000


def _words(clocks: NDArray[np.float64]) -> dict[str, int]:
    return {"wall_ms": round(clocks[0]), "cpu_ms": round(clocks[1])}


def _ratio(one: NDArray[np.float64], other: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(("wall", "cpu"), np.round(one / other, 3).tolist(), strict=True))


def _sample_frame() -> NDArray[np.uint8]:
    video = cv2.VideoCapture(str(SAMPLE))
    try:
        video.set(cv2.CAP_PROP_POS_FRAMES, 90)
        _, picture = video.read()
    finally:
        video.release()
    return np.ascontiguousarray(picture[..., ::-1])


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


if __name__ == "__main__":
    main()
