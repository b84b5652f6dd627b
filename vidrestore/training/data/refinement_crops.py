"""Random crops of whole faces and of their estimates at half size, for a network that refines the latter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vidrestore.evidence import Evidence

CROPS = 2
"""Crops of each face."""
STEP = 16
"""Crops start at multiples of this many pixels, so that those at half size start at whole blocks."""


@dataclass(frozen=True, slots=True)
class RefinementCrops:
    """The same M places of faces."""

    clean: Tensor
    """(M, 3, S, S)"""
    degraded: Tensor
    """(M, 3, S, S)"""
    half: Evidence
    """Of (M, 3, S / 2, S / 2)."""


def random_crops(
    clean: Tensor, degraded: Tensor, half: Evidence, side: int, rng: np.random.Generator
) -> RefinementCrops:
    """`CROPS` crops of each face.

    Args:
        clean: Whole faces, (N, 3, H, H) in 0..1.
        degraded: Their degraded copies.
        half: The estimates of the degraded faces at half size.
        side: Side of a crop in pixels, a multiple of `STEP`.
        rng: The source of random numbers.
    """
    last = (clean.shape[-1] - side) // STEP
    places = [
        (face, *(STEP * rng.integers(0, last + 1, 2)).tolist())
        for face in range(len(clean))
        for _ in range(CROPS)
    ]

    def cut(pictures: Tensor, reduction: int) -> Tensor:
        size = side // reduction
        crops = [
            pictures[face, :, y // reduction :, x // reduction :][:, :size, :size] for face, y, x in places
        ]
        return torch.stack(crops).contiguous(memory_format=torch.channels_last)

    return RefinementCrops(cut(clean, 1), cut(degraded, 1), Evidence(cut(half.mean, 2), cut(half.scale, 4)))
