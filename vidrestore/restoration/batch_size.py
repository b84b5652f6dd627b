"""How many faces are computed at a time, and how many frames may wait for that."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vidrestore.types import VideoInfo

logger = logging.getLogger(__name__)

CPU_FACES = 4
GPU_FACES, GPU_PIXELS = 32, 2**22
"""A GPU has enough to do with either: the code transformer with so many faces, convolutions with so many
pixels."""
BYTES_PER_PIXEL = 800
"""Of activations that the decoder of a face holds at a time in 16 bits: 201 MB at 512 pixels, counted on meta
tensors."""
MEMORY_SHARE = 0.8
"""Of a GPU's free memory: the rest is for what other programs take later, and for cuDNN's workspaces."""
MAX_ELEMENTS, CHANNELS_AT_FULL_SIZE = 2**31, 128
"""Convolutions count a tensor's elements in 32 bits; the decoder's largest is at the face's full size."""
MAX_WAITING_BYTES, GPU_MAX_WAITING_BYTES = 192 * 2**20, 512 * 2**20
"""Of frames that wait for a batch to fill, before each of the network's three steps."""
MIN_WAITING_FRAMES = 32
"""As many frames may wait in any case, if they are small enough: not each has a face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSizes:
    """What is computed together, and what waits for it."""

    faces: int
    """At a time."""
    frames: int
    """That may wait before each of the network's three steps, those under way among them."""


def choose_batch_sizes(
    info: VideoInfo,
    *,
    device: str,
    size: int,
    workers: int,
    faces: int | None = None,
    free_bytes: int | None = None,
    bytes_per_number: int = 2,
) -> BatchSizes:
    """For a video like `info` and a network for faces of `size` pixels, on a device of that type.

    As many frames wait as fill a batch for each of `workers` and one more, so that no worker is idle;
    large ones are fewer, and on a GPU rather make batches smaller. `faces`: the user's own number.
    `free_bytes`: of the GPU's memory, which batches must fit into; None: not known. `bytes_per_number`: of
    the network's activations.
    """
    on_processor = device == "cpu"
    max_waiting = max(
        1, int((MAX_WAITING_BYTES if on_processor else GPU_MAX_WAITING_BYTES) / _frame_bytes(info))
    )
    if faces is None and on_processor:
        faces = CPU_FACES
    elif faces is None:
        max_faces = min(GPU_FACES, GPU_PIXELS // size**2)
        faces = max(CPU_FACES, min(max_faces, max_waiting // (workers + 1) // CPU_FACES * CPU_FACES))
        if free_bytes is not None:
            each = workers * size**2 * BYTES_PER_PIXEL * bytes_per_number / 2
            fitting = int(MEMORY_SHARE * free_bytes / each)
            faces = min(faces, fitting // CPU_FACES * CPU_FACES or max(1, fitting))
    if not on_processor:
        faces = _countable(faces, size)
    return BatchSizes(faces=faces, frames=min(max_waiting, max(MIN_WAITING_FRAMES, (workers + 1) * faces)))


def _countable(faces: int, size: int) -> int:
    """As many of `faces` as a GPU's convolutions can count the numbers of."""
    most = max(1, (MAX_ELEMENTS - 1) // (size**2 * CHANNELS_AT_FULL_SIZE))
    if faces > most:
        logger.warning("%d faces of %d pixels at a time are too many for a GPU; using %d", faces, size, most)
    return min(faces, most)


def _frame_bytes(info: VideoInfo) -> float:
    """Of one decoded frame."""
    shift_x, shift_y = info.pixel_format.chroma_shift
    chroma = 0.0 if info.pixel_format.family == "gray" else 2.0 / (1 << (shift_x + shift_y))
    samples = info.width * info.height * (1 + chroma + info.pixel_format.has_alpha)
    return samples * (2 if info.pixel_format.bit_depth > 8 else 1)
