"""Copies pictures of faces to a device and back.

A GPU copies from and to pinned memory directly, several times as fast as from other memory, where the CPU
makes an additional copy and waits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vidrestore.types import FloatArray


def to_device(faces: Sequence[FloatArray], device: torch.device) -> Tensor:
    """(N, S, S, 3) float32 on the device, from N faces (S, S, 3). It does not wait for a GPU."""
    if device.type != "cuda":
        return torch.from_numpy(np.stack(faces)).to(device)
    with_absolute_paths = torch.empty(len(faces), *faces[0].shape, pin_memory=True)
    np.stack(faces, out=with_absolute_paths.numpy())
    return with_absolute_paths.to(device, non_blocking=True)


def from_device(pictures: Tensor) -> list[FloatArray]:
    """N pictures (S, S, 3) from (N, S, S, 3) float32 in any memory order; it waits for them."""
    if pictures.device.type != "cuda":
        return list(pictures.contiguous().cpu().numpy())
    with_absolute_paths = torch.empty(pictures.shape, pin_memory=True)
    with_absolute_paths.copy_(pictures.contiguous(), non_blocking=True)
    copied = torch.cuda.Event(blocking=True)  # a blocking wait leaves the CPU to other threads
    copied.record(torch.cuda.current_stream(pictures.device))
    copied.synchronize()
    return list(with_absolute_paths.numpy())
