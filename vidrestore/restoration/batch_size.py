"""How many faces are computed at a time, and how many frames may wait for that."""

from __future__ import annotations

from dataclasses import dataclass

from vidrestore.types import VideoInfo

CPU_FACES = 4
GPU_FACES, GPU_PIXELS = 32, 2**22
"""A GPU has enough to do with either: the code transformer with so many faces, convolutions with so many
pixels."""
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
    info: VideoInfo, *, device: str, size: int, workers: int, faces: int | None = None
) -> BatchSizes:
    """For a video like `info` and a network for faces of `size` pixels, on a device of that type.

    As many frames wait as fill a batch for each of `workers` and one more, so that no worker is idle;
    large ones are fewer, and on a GPU rather make batches smaller. `faces`: the user's own number.
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
    return BatchSizes(faces=faces, frames=min(max_waiting, max(MIN_WAITING_FRAMES, (workers + 1) * faces)))


def _frame_bytes(info: VideoInfo) -> float:
    """Of one decoded frame."""
    shift_x, shift_y = info.pixel_format.chroma_shift
    chroma = 0.0 if info.pixel_format.family == "gray" else 2.0 / (1 << (shift_x + shift_y))
    samples = info.width * info.height * (1 + chroma + info.pixel_format.has_alpha)
    return samples * (2 if info.pixel_format.bit_depth > 8 else 1)
