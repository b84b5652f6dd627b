"""How many faces are computed together, and how many frames may wait for them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from vidrestore.types import VideoInfo

logger = logging.getLogger(__name__)

CPU_FACES = 4
GPU_FACES, GPU_PIXELS = 32, 2**22
"""A GPU is fully used by a batch with this many faces (code transformer) or pixels (convolutions)."""
BYTES_PER_PIXEL = 800
"""Bytes of 16-bit activations per pixel of a face in the decoder: 201 MB at 512 pixels, counted with meta
tensors."""
MEMORY_SHARE = 0.8
"""Share of a GPU's free memory to use; the rest is for other programs and for cuDNN's workspaces."""
MAX_ELEMENTS, CHANNELS_AT_FULL_SIZE = 2**31, 128
"""Convolutions count the elements of a tensor in 32 bits. The decoder's largest tensor has the full size."""
MAX_WAITING_BYTES, GPU_MAX_WAITING_BYTES = 192 * 2**20, 512 * 2**20
"""Bytes of frames that wait for a full batch, before each of the three steps of the network."""
MIN_WAITING_FRAMES = 32
"""At least this many frames may wait if they are small, because some frames have no face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSizes:
    """Sizes of batches and of the queues before them."""

    faces: int
    """Faces per batch."""
    frames: int
    """Frames that may wait before each of the three steps, including those that are being computed."""


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
    """The sizes for a video and a device.

    The waiting frames fill a batch for each worker and one more, so that no worker is idle. Of large frames
    fewer may wait; on a GPU they make batches smaller instead.

    Args:
        info: The video.
        device: Type of the device: cpu, cuda or mps.
        size: Side of a face in the network [px].
        workers: Threads that compute batches.
        faces: The user's own batch size; None: choose it.
        free_bytes: The GPU's free memory, into which batches must fit; None: unknown.
        bytes_per_number: Bytes per activation of the network.
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
    """`faces`, limited so that a GPU's convolutions can count all elements."""
    most = max(1, (MAX_ELEMENTS - 1) // (size**2 * CHANNELS_AT_FULL_SIZE))
    if faces > most:
        logger.warning("%d faces of %d pixels together are too many for a GPU; using %d", faces, size, most)
    return min(faces, most)


def _frame_bytes(info: VideoInfo) -> float:
    """Bytes of a decoded frame."""
    shift_x, shift_y = info.pixel_format.chroma_shift
    chroma = 0.0 if info.pixel_format.family == "gray" else 2.0 / (1 << (shift_x + shift_y))
    samples = info.width * info.height * (1 + chroma + info.pixel_format.has_alpha)
    return samples * (2 if info.pixel_format.bit_depth > 8 else 1)
