"""How many faces a second a GPU could restore at most, calculated from counts and from its data sheet.

A kernel takes as long as its products at a share of the stated speed, or as its bytes at a share of the
stated bandwidth, whichever is more. All kernels of a batch take at least as long as launching them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.gpu_count import Step

PRODUCTS, BANDWIDTH = 0.7, 0.8
"""Shares of the stated speeds that good kernels reach."""
LAUNCH_SECONDS = 5e-6
"""For one kernel, from Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """Numbers of a data sheet."""

    tflop: float
    """Dense 16-bit products with sums in 32 bits, 10^12 operations a second."""
    gigabytes_a_second: float
    gigabytes: float


GPUS = {
    "H200": Gpu(tflop=989, gigabytes_a_second=4800, gigabytes=141),
    "RTX 4090": Gpu(tflop=165, gigabytes_a_second=1008, gigabytes=24),
    "RTX 3060": Gpu(tflop=25.6, gigabytes_a_second=360, gigabytes=12),
}
"""GeForce cards sum 16-bit products in 32 bits at half of their speed for sums in 16 bits."""


def seconds_of(steps: Sequence[Step], gpu: Gpu) -> dict[str, float]:
    """Seconds of a batch on the GPU: products, other kernels, and launching all of them."""
    kernels = [kernel for step in steps for kernel in step.count.kernels]
    speed, bandwidth = PRODUCTS * gpu.tflop * 1e12, BANDWIDTH * gpu.gigabytes_a_second * 1e9
    products = sum(max(k.flop / speed, k.bytes / bandwidth) for k in kernels if k.flop)
    others = sum(k.bytes / bandwidth for k in kernels if not k.flop)
    return {"products": products, "others": others, "launches": LAUNCH_SECONDS * len(kernels)}


def faces_a_second_of(steps: Sequence[Step], gpu: Gpu) -> float:
    """The ceiling for batches like those that were counted."""
    seconds = seconds_of(steps, gpu)
    return steps[0].faces / max(seconds["products"] + seconds["others"], seconds["launches"])


def most_faces(steps: Sequence[Step], gpu: Gpu) -> int:
    """Faces of the largest batch whose activations fit into 80 % of the memory."""
    peak = max(step.count.peak_bytes / step.faces for step in steps)
    return int(0.8 * gpu.gigabytes * 1e9 / peak)
