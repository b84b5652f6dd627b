"""A whole restoration against what it cannot do without: the network's own time, or a bare transcode."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import av

import vidrestore
from benchmarks.known_clips import SIZES, make_clip
from benchmarks.network import published, restored
from vidrestore.daefr import save
from vidrestore.detection import detect, make_detector
from vidrestore.faces.alignment import align
from vidrestore.restoration import choose_batch_sizes, make_restorer
from vidrestore.settings import Settings
from vidrestore.tracking import track
from vidrestore.types import FloatArray, Report
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.writing.codec_choice import choose_codec
from vidrestore.video.writing.encoders import quality_options
from vidrestore.weights import model_path

FACES = (1, 4)
LONGER = 5
"""Times as many frames without faces, where the start would otherwise be a good part of the time."""
PUBLISHED_CLIP = "720 lines, 1 faces, published network"
"""With weights by a formula: what it draws is none, and takes as long."""
PUBLISHED_FRAMES = 40
"""Frames of that clip: at a second or more each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is restored, and how often."""

    folder: Path
    frames: int
    rounds: int
    model: str = "compact"


def measure(job: Job, lines: tuple[int, ...]) -> dict[str, Any]:
    """For each size and number of faces: frames a second, seconds by stage, and the ratio to the baseline.

    With faces the baseline is the same network on as many faces in the same batches and nothing else;
    without, PyAV decoding and encoding with the options that the restoration chose. They take turns, and
    waiting for the network to load counts for neither. With faces there is also the ratio to both baselines
    together: a video must be decoded and encoded whatever is done to it. Without faces there is also a clip
    as short as those with faces, of which the start is a good part.
    """
    result: dict[str, Any] = {"baselines": "with faces the network alone; without, a bare PyAV transcode"}
    _restore(make_clip(job.folder / "warm.mp4", lines=480, faces=1, frames=10), job)
    for size in lines:
        assert size in SIZES
        for faces in FACES:
            clip = make_clip(job.folder / f"{size}_{faces}.mp4", lines=size, faces=faces, frames=job.frames)
            result[f"{size} lines, {faces} faces"] = _turns(clip, job, faces)
        for name, frames in (("0 faces", LONGER * job.frames), ("0 faces, short", job.frames)):
            clip = make_clip(job.folder / f"{size}_0_{frames}.mp4", lines=size, faces=0, frames=frames)
            result[f"{size} lines, {name}"] = _turns(clip, job, 0)
    large = replace(job, model=str(job.folder / "published.safetensors"), frames=PUBLISHED_FRAMES, rounds=1)
    save(published()[0], Path(large.model))
    clip = make_clip(large.folder / "published.mp4", lines=720, faces=1, frames=large.frames)
    result[PUBLISHED_CLIP] = _turns(clip, large, 1)
    return result


def _turns(clip: Path, job: Job, faces: int) -> dict[str, Any]:
    ours, alone, transcode = [], [], []
    report: Report | None = None
    for _ in range(job.rounds):
        report = _restore(clip, job)
        loading = report.seconds_by_stage.get("loading", 0.0)
        ours.append(report.seconds - loading)
        alone.append(_network_alone(clip, job.model, report.faces) if faces else 0.0)
        transcode.append(_transcode(clip, job.folder))
    assert report is not None
    both = min(alone) + min(transcode)
    return {
        "frames_a_second": report.frames / min(ours),
        "seconds": ours,
        "network_alone_seconds": alone,
        "transcode_seconds": transcode,
        "ratio": min(ours) / (min(alone) or min(transcode)),
        "ratio_to_network_and_transcode": min(ours) / both,
        "faces_restored": report.faces,
        "seconds_by_stage": report.seconds_by_stage,
    }


def _restore(clip: Path, job: Job) -> Report:
    return vidrestore.restore(clip, job.folder / "restored.mp4", model=job.model, overwrite=True)


def _network_alone(clip: Path, model: str, count: int) -> float:
    """Seconds of the networks' steps for `count` of the clip's faces, in batches as large as the pipeline's.

    Its own faces, since what the network computes depends on how much a face has lost.
    """
    restorer = make_restorer(model_path(model))
    batch = choose_batch_sizes(
        probe(open_input(clip)), device=restorer.device.type, size=restorer.size, workers=2
    ).faces
    faces = list(islice(_faces(clip, restorer.size), batch))
    faces = (faces * batch)[:batch]
    restored(restorer, faces)
    began = time.perf_counter()
    for start in range(0, count, batch):
        restored(restorer, faces[: min(batch, count - start)])
    return time.perf_counter() - began


def _faces(clip: Path, size: int) -> Iterator[FloatArray]:
    """(S, S, 3) RGB in 0..1, as the pipeline aligns them."""
    given = open_input(clip)
    found = detect(read_frames(given, probe(given)), make_detector(Settings().detector))
    for item in track(found):
        yield from (face.image for face in align(item, size, own_size=True).faces)


def _transcode(clip: Path, folder: Path) -> float:
    """Seconds of decoding and encoding with the settings that a restoration would use."""
    info = probe(open_input(clip))
    choice = choose_codec(Settings().codec, info, "mp4", "mp4", (info.width, info.height))
    encoder = choice.encoding.codec
    options = quality_options(encoder, None, None, choice.options)
    began = time.perf_counter()
    with av.open(str(clip)) as source, av.open(str(folder / "bare.mp4"), "w") as output:
        stream = source.streams.video[0]
        stream.thread_type = "AUTO"
        video = output.add_stream(encoder, rate=info.frame_rate, options=dict(options))
        video.width, video.height, video.pix_fmt = info.width, info.height, stream.pix_fmt
        for frame in source.decode(stream):
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
    return time.perf_counter() - began
