"""Features of one face blended over time, so that it does not flicker.

The specification's "What the paper does not have": between `encode` and `predict` each of the L x L positions
of a face is averaged with the same position in neighbouring frames of the track, and finer levels with it. A
neighbour counts by how near it is in time and by how alike its feature is *at that position*, so a moving
mouth keeps its motion while the cheek beside it is steadied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.restoration.restorer import FaceFeatures


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalBlend:
    """How features are blended; the callable form takes one face and its neighbours."""

    strength: float
    """0..1: weight of the neighbours against the frame itself; 0 leaves features as they are."""
    radius: int = 3
    """Frames to each side that are looked at; also the delay of the stage."""
    time_constant: float = 2.0
    """Standard deviation of the weight over time, in frames."""
    similarity: float = 0.35
    """Relative squared distance of two features at which a neighbour counts by a third (1/e)."""

    def __call__(self, face: FaceFeatures, neighbours: Sequence[tuple[int, FaceFeatures]]) -> FaceFeatures:
        """A face and its neighbours as (frames away, features) -> the face's blended features."""
        if self.strength == 0 or not neighbours:
            return face
        others = torch.stack([f.fused for _, f in neighbours])  # (K, C, L, L)
        away = torch.tensor([float(d) for d, _ in neighbours], device=others.device)
        in_time = torch.exp(-0.5 * (away / self.time_constant).square())[:, None, None]  # (K, 1, 1)
        own = face.fused.square().sum(0)
        distance = (others - face.fused).square().sum(1) / (own + others.square().sum(1) + 1e-8).mul(0.5)
        weights = self.strength * in_time * torch.exp(-distance / self.similarity)  # (K, L, L)
        levels = [
            _average(level, torch.stack([f.levels[i] for _, f in neighbours]), weights)
            for i, level in enumerate(face.levels)
        ]
        return FaceFeatures(fused=_average(face.fused, others, weights), levels=tuple(levels))


def _average(own: Tensor, others: Tensor, weights: Tensor) -> Tensor:
    """own (C, S, S) with weight 1 and others (K, C, S, S) with weights (K, L, L); S may be finer than L."""
    if own.shape[-1] != weights.shape[-1]:
        weights = F.interpolate(weights[None], own.shape[-2:], mode="bilinear")[0]
    weights = weights.to(own.dtype)
    return (own + (weights.unsqueeze(1) * others).sum(0)) / (1 + weights.sum(0))
