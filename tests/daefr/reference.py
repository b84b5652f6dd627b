"""Weights and input by the formula under which the reference network's fixtures were made."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor


def formula_weights(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """A state dict for the authors' key names, drawn from a generator seeded by each key."""
    return {key: torch.from_numpy(_weight(key, tuple(shape))) for key, shape in shapes.items()}


def formula_face(size: int = 512) -> Tensor:
    """(1, 3, size, size) in [-1, 1]: waves with noise."""
    y, x = np.mgrid[0:size, 0:size] / size
    planes = np.stack(
        [
            np.sin(9 * x + 4 * y**2),
            np.cos(7 * y - 5 * x * y),
            np.sin(11 * (x - 0.5) ** 2 + 13 * (y - 0.5) ** 2),
        ]
    )
    noise = np.random.default_rng(2308).standard_normal((3, size, size), dtype=np.float32)
    return torch.from_numpy(np.clip(planes + 0.15 * noise, -1, 1).astype(np.float32))[None]


def _weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    r = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape, dtype=np.float32)
    if "position_emb" in key:
        return 4 * r
    if "quantize.embedding" in key:
        return r
    if len(shape) == 1:
        return 1 + 0.1 * r if key.rsplit(".", 1)[-1] == "weight" else 0.1 * r
    return r / np.sqrt(np.prod(shape[1:]), dtype=np.float32)
