"""The networks on a GPU, and whole restorations with one; what is counted and calculated needs no GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import torch

import vidrestore
from benchmarks import plain_daefr
from benchmarks.gpu_ceilings import GPUS, Gpu, faces_a_second_of, most_faces, seconds_of
from benchmarks.gpu_count import NETWORKS, Step, steps
from benchmarks.known_clips import make_clip
from benchmarks.network import drawn, likeness, picture_of, published, restored
from benchmarks.timing import interleaved
from vidrestore.daefr import save
from vidrestore.restoration import DaefrGenerator, make_restorer
from vidrestore.runtime.device import resolve_precision
from vidrestore.runtime.system_errors import is_out_of_memory
from vidrestore.types import FloatArray
from vidrestore.video import open_input, probe, read_frames
from vidrestore.weights import embedded_path

BATCHES = (1, 4, 16, 64, 256)
SIDE = 8192
"""Of the square matrices whose product is the ceiling."""
LINES = 720
ENCODERS = ("h264_nvenc", "hevc_nvenc", "av1_nvenc")


def count() -> dict[str, Any]:
    """What a face asks of a GPU, and how many faces a second GPUs could restore at most."""
    result: dict[str, Any] = {}
    for name in NETWORKS:
        together, alone = steps(name), steps(name, batch=4, blends_together=False)
        result[name] = {
            "counted_a_face_by_step": {step.name: step.to_dict() for step in together},
            "counted_kernels_a_face_blending": {
                "one by one": _kernels(alone, "blend"),
                "a batch together": _kernels(together, "blend"),
            },
            "calculated": {gpu: _calculated(together, data) for gpu, data in GPUS.items()},
        }
    return result


def measure(device: torch.device, rounds: int, folder: Path, frames: int) -> dict[str, Any]:
    """On a GPU. Seconds include the copies to and from it: pictures go in and come out.

    Args:
        device: The GPU.
        rounds: How often each measurement is repeated.
        folder: For clips.
        frames: Frames of the clips.
    """
    counted = {name: steps(name) for name in NETWORKS}
    network, state, face = published()
    there = {name: tensor.to(device) for name, tensor in state.items()}

    def plain() -> None:
        plain_daefr.restore(there, face.to(device), groups=32, levels=6, blocks=2)["output"].cpu()

    with torch.inference_mode(), exact_float32():
        plain_speed = 1 / min(interleaved({"": plain}, 2 * rounds)[""])
    precision = resolve_precision(device)
    generator = DaefrGenerator(network, device=device, precision=precision)
    draw, picture = partial(drawn, generator), picture_of(face)
    large = faces_a_second(draw, picture, BATCHES, rounds)
    compact = make_restorer(embedded_path("compact.safetensors"), device=str(device))
    ceiling = matrix_speed(device, precision, SIDE, rounds)
    flop = sum(step.count.flop / step.faces for step in counted["published"])
    return {
        "baseline": "plain_daefr on the same device: float32 without TF32, unfused, batch 1",
        "precision": str(precision),
        "plain_faces_a_second": plain_speed,
        "published_faces_a_second_by_batch": large,
        "published_times_as_fast": {n: speed / plain_speed for n, speed in large.items()},
        "compact_faces_a_second_by_batch": faces_a_second(
            partial(restored, compact), picture[::2, ::2].copy(), BATCHES, rounds
        ),
        "matrix_products_tflop_a_second": ceiling / 1e12,
        "published_share_of_matrix_products": max(large.values()) * flop / ceiling,
        "published_peak_megabytes_a_face": peak_memory(device, draw, picture, 16)
        | {"counted": max(step.count.peak_bytes / step.faces for step in counted["published"]) / 1e6},
        "published_where_time_goes": where_time_goes(draw, picture, 16),
        "end_to_end": end_to_end(device, folder, frames),
        "decoding_and_encoding": codecs(folder, frames),
        **likeness(device),
    }


@contextmanager
def exact_float32() -> Iterator[None]:
    """Products of float32 are computed in float32: by default convolutions round their factors (TF32)."""
    backends = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [backend.allow_tf32 for backend in backends]
    for backend in backends:
        backend.allow_tf32 = False
    try:
        yield
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed


def faces_a_second(
    restore: Callable[[list[FloatArray]], object],
    picture: FloatArray,
    batches: tuple[int, ...],
    rounds: int,
) -> dict[str, float]:
    """By the number of faces at a time, as far as memory goes."""
    speeds = {}
    for count in batches:
        try:
            run = partial(restore, [picture] * count)
            speeds[str(count)] = count / min(interleaved({"": run}, 2 * rounds)[""])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            break
    return speeds


def matrix_speed(device: torch.device, precision: torch.dtype, side: int, rounds: int) -> float:
    """Operations a second of the product of two square matrices."""
    a, b = (torch.randn(side, side, device=device).to(precision) for _ in range(2))

    def multiply() -> None:
        (a @ b)[0, 0].item()  # asks for a number, so that it is waited for

    return 2 * side**3 / min(interleaved({"": multiply}, 5 * rounds)[""])


def peak_memory(
    device: torch.device, restore: Callable[[list[FloatArray]], object], picture: FloatArray, faces: int
) -> dict[str, float]:
    """Megabytes a face beyond the weights, as CUDA's allocator measures them; empty on other devices."""
    if device.type != "cuda":
        return {}
    restore([picture] * faces)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    restore([picture] * faces)
    return {"measured": (torch.cuda.max_memory_allocated(device) - before) / faces / 1e6}


def where_time_goes(
    restore: Callable[[list[FloatArray]], object], picture: FloatArray, faces: int
) -> dict[str, float]:
    """Shares of the device's time by kernel, the largest first; of the processor's without CUDA."""
    on_gpu = torch.cuda.is_available()
    kinds = torch.profiler.ProfilerActivity
    restore([picture] * faces)
    with torch.profiler.profile(activities=[kinds.CPU, *([kinds.CUDA] if on_gpu else [])]) as profile:
        restore([picture] * faces)
    seconds = {
        event.key: event.self_device_time_total if on_gpu else event.self_cpu_time_total
        for event in profile.key_averages()
    }
    total = sum(seconds.values()) or 1.0
    largest = sorted(seconds, key=lambda key: -seconds[key])[:10]
    return {key: round(seconds[key] / total, 4) for key in largest}


def end_to_end(device: torch.device, folder: Path, frames: int) -> dict[str, Any]:
    """Whole restorations of a clip with one face in each frame: each stage, and the processor beside it."""
    clip = make_clip(folder / "clip.mp4", lines=LINES, faces=1, frames=frames)
    save(published()[0], folder / "published.safetensors")
    found = {}
    for name, model in (("compact", "compact"), ("published", str(folder / "published.safetensors"))):
        began = time.process_time()
        output, fidelity = folder / f"{name}.mp4", "auto" if name == "compact" else 0
        report = vidrestore.restore(
            clip, output, model=model, device=str(device), fidelity=fidelity, segment=0, overwrite=True
        )
        cpu = time.process_time() - began
        seconds = report.seconds - report.seconds_by_stage.get("loading", 0.0)
        found[name] = {
            "frames_a_second": report.frames / seconds,
            "faces": report.faces,
            "milliseconds_a_frame_by_stage": {
                stage: 1000 * spent / report.frames for stage, spent in report.seconds_by_stage.items()
            },
            "cpu_milliseconds_a_frame": 1000 * cpu / report.frames,
            "busy_cores": cpu / report.seconds,
        }
    return found


def codecs(folder: Path, frames: int) -> dict[str, Any]:
    """Frames a second of decoding by each way, whether they are the same, and which encoders open."""
    clip = make_clip(folder / "decoded.mp4", lines=LINES, faces=1, frames=frames)
    info, found = probe(clip), {}
    for way in ("none", "cuda"):
        began = time.perf_counter()
        number = sum(1 for _ in read_frames(open_input(clip, hwaccel=way), info))
        found[f"decoded_frames_a_second, hwaccel {way}"] = number / (time.perf_counter() - began)
    found["encoders"] = [name for name in ENCODERS if _opens(name)]
    return found


def _opens(encoder: str) -> bool:
    with suppress(av.FFmpegError, OSError, ValueError):
        context: Any = av.CodecContext.create(encoder, "w")
        context.width, context.height, context.pix_fmt = 256, 256, "yuv420p"
        context.time_base = Fraction(1, 25)
        context.open()
        return True
    return False


def _kernels(found: list[Step], name: str) -> float:
    return sum(step.count.total / step.faces for step in found if step.name.startswith(name))


def _calculated(found: list[Step], gpu: Gpu) -> dict[str, Any]:
    milliseconds = {name: 1000 * seconds / found[0].faces for name, seconds in seconds_of(found, gpu).items()}
    return {
        "milliseconds_a_face": milliseconds,
        "faces_a_second": faces_a_second_of(found, gpu),
        "largest_batch": most_faces(found, gpu),
    }
