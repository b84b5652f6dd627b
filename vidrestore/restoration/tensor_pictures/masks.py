"""The masks of a face on the device: `faces.compositing` has the same for OpenCV."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.faces import compositing


@lru_cache(maxsize=16)
def head_mask(size: int, device: torch.device) -> Tensor:
    """(size, size) in 0..1: `compositing.head_mask`."""
    return torch.from_numpy(compositing.head_mask(size)).to(device)


def face_mask(landmarks: NDArray[np.floating], size: int, device: torch.device) -> Tensor:
    """(size, size) in 0..1: `compositing.face_mask`.

    Args:
        landmarks: (5, 2) points in the crop [px].
        size: Side of the crop [px].
        device: Where the mask is needed.
    """
    oval = compositing.face_oval(landmarks)
    at = torch.arange(size, dtype=torch.float32, device=device)
    x, y = at - oval.centre[0], (at - oval.centre[1])[:, None]
    radius = torch.hypot(x * oval.across[0] + y * oval.across[1], x * oval.down[0] + y * oval.down[1])
    edge = _smooth_step(torch.minimum(at, size - 1 - at) / (compositing.EDGE_FEATHER * size))
    return _smooth_step((1 - radius) / compositing.FACE_FEATHER) * torch.minimum(edge[:, None], edge)


def _smooth_step(x: Tensor) -> Tensor:
    t = x.clamp(0, 1)
    return t * t * (3 - 2 * t)
