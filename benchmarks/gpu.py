"""The networks on a GPU: faces a second by batch, against the plain network and the speed of its products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import plain_daefr
from benchmarks.network import drawn, likeness, picture_of, published, restored
from benchmarks.timing import interleaved
from vidrestore.restoration import DaefrGenerator, make_restorer
from vidrestore.runtime.device import resolve_precision
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

BATCHES = (1, 4, 16, 64, 256)
SIDE = 8192
"""Of the square matrices whose product is the ceiling."""


def measure(device: torch.device, rounds: int) -> dict[str, Any]:
    """Seconds include the copies to and from the device: pictures go in and come out."""
    network, state, face = published()
    there = {name: tensor.to(device) for name, tensor in state.items()}

    def plain() -> None:
        plain_daefr.restore(there, face.to(device), groups=32, levels=6, blocks=2)["output"].cpu()

    with torch.inference_mode(), exact_float32():
        plain_speed = 1 / min(interleaved({"": plain}, 2 * rounds)[""])
        with FlopCounterMode(display=False) as counter:
            network(face)
    precision = resolve_precision(device)
    generator = DaefrGenerator(network, device=device, precision=precision)
    large = faces_a_second(partial(drawn, generator), picture_of(face), BATCHES, rounds)
    compact = make_restorer(embedded_path("compact.safetensors"), device=str(device))
    ceiling = matrix_speed(device, precision, SIDE, rounds)
    return {
        "baseline": "plain_daefr on the same device: float32 without TF32, unfused, batch 1",
        "precision": str(precision),
        "published_faces_a_second_by_batch": large,
        "published_times_as_fast": {n: speed / plain_speed for n, speed in large.items()},
        "compact_faces_a_second_by_batch": faces_a_second(
            partial(restored, compact), picture_of(face)[::2, ::2].copy(), BATCHES, rounds
        ),
        "matrix_products_tflop_a_second": ceiling / 1e12,
        "published_share_of_matrix_products": max(large.values()) * counter.get_total_flops() / ceiling,
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
        except torch.cuda.OutOfMemoryError:
            break
    return speeds


def matrix_speed(device: torch.device, precision: torch.dtype, side: int, rounds: int) -> float:
    """Operations a second of the product of two square matrices."""
    a, b = (torch.randn(side, side, device=device).to(precision) for _ in range(2))

    def multiply() -> None:
        (a @ b)[0, 0].item()  # asks for a number, so that it is waited for

    return 2 * side**3 / min(interleaved({"": multiply}, 5 * rounds)[""])
