"""The CPU time of the pipeline when the network runs on another device, as on a GPU.

A stand-in replaces the network. Its steps take a set time, one after another, in which the CPU is free, and
return pictures made in advance. So this needs no GPU, and shows what a GPU would wait for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

import vidrestore
from benchmarks.known_clips import make_clip, portraits
from vidrestore.restoration import FaceCodes, FaceFeatures
from vidrestore.runtime.malloc import keep_freed_memory
from vidrestore.types import FloatArray, Report

SIZE = 512
"""Of the published network's faces."""
SHARES = {"encode": 0.4, "predict": 0.1, "decode": 0.5}
"""Of a face's time, by step."""


class Elsewhere:
    """A `FaceRestorer` that is given its time: like a GPU, it is given work and waited for."""

    size = SIZE
    device = torch.device("cuda")  # none is needed: nothing is put there
    estimates, generates = False, True

    def __init__(self, seconds_a_face: float) -> None:
        self._seconds_a_face = seconds_a_face
        keep_freed_memory()  # as the network itself would
        self._pictures = portraits(SIZE)
        self._features = FaceFeatures(fused=torch.ones(4, 16, 16))
        self._lock = threading.Lock()
        self._until = 0.0

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        np.stack(faces)  # as a copy to a device would
        self._begin("encode", len(faces))
        return [self._features] * len(faces)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        self._begin("predict", len(features))
        return [FaceCodes(features=f, log_probabilities=torch.ones(4, 16, 16)) for f in features]

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        done = self._begin("decode", len(codes))
        time.sleep(max(done - time.perf_counter(), 0))
        return [self._pictures[i % len(self._pictures)].copy() for i in range(len(codes))]

    def _begin(self, step: str, count: int) -> float:
        """When the step, which begins as soon as those before it are done, is done itself."""
        with self._lock:
            self._until = max(self._until, time.perf_counter())
            self._until += SHARES[step] * self._seconds_a_face * count
            return self._until


def measure(folder: Path, frames: int, rounds: int, milliseconds_a_face: Sequence[float]) -> dict[str, Any]:
    """Per time that a face takes elsewhere: seconds, and their ratio to that time; what the processor took.

    One face in each frame of 720 lines. A ratio of 1 says that the network never waited. Without any time
    of its own (0) there is none: then frames a second are what the processor's part alone allows.
    """
    clip = make_clip(folder / "elsewhere.mp4", lines=720, faces=1, frames=frames)
    result: dict[str, Any] = {"baseline": "the time the stand-in takes for the faces", "size": SIZE}
    for milliseconds in milliseconds_a_face:
        runs = [_restore(clip, folder, milliseconds / 1000) for _ in range(rounds)]
        report, seconds, processor = min(runs, key=lambda run: run[1])
        waited = report.faces * milliseconds / 1000
        result[f"{milliseconds:g} ms a face"] = {
            "frames_a_second": report.frames / seconds,
            "seconds": [run[1] for run in runs],
            "processor_milliseconds_a_frame": 1000 * processor / report.frames,
            "ratio": seconds / waited if waited else None,
            "seconds_by_stage": report.seconds_by_stage,
        }
    return result


def _restore(clip: Path, folder: Path, seconds_a_face: float) -> tuple[Report, float, float]:
    """The report, and the seconds and the processor's seconds of it without those of loading."""
    stand_in = Elsewhere(seconds_a_face)
    with patch("vidrestore.restoration.make_restorer", lambda *_, **__: stand_in):
        began = time.process_time()
        report = vidrestore.restore(clip, folder / "restored.mp4", overwrite=True)
        processor = time.process_time() - began
    return report, report.seconds - report.seconds_by_stage.get("loading", 0.0), processor
