"""Features and codes of one face blended over time, so that it does not flicker.

The specification's "What the paper does not have": between `encode` and `predict` each of the L x L positions
of a face is averaged with the same position in neighbouring frames of the track, and finer levels with it;
between `predict` and `decode` the probabilities of its codes are. A neighbour counts by how near it is in
time, by how sharp it is, and by how alike its feature is *at that position*: a moving mouth keeps its motion
while the cheek beside it is steadied, and a blurred frame borrows from the sharp ones around it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.restoration.restorer import FaceCodes, FaceFeatures

MOST_SHARPENING = 4.0
"""Largest factor that a neighbour's sharpness puts on its weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalBlend:
    """How a face is blended with its neighbours, which are given as (frames away, face)."""

    strength: float
    """0..1: weight of the neighbours against the frame itself; 0 leaves faces as they are."""
    radius: int = 6
    """Frames to each side whose features are looked at; it delays the stage by as many."""
    time_constant: float = 4.0
    """Standard deviation of the weight over time, in frames."""
    code_radius: int = 10
    """As `radius`, for codes: where features agree, a longer look harms no motion."""
    code_time_constant: float = 6.5
    similarity: float = 0.4
    """Relative squared distance of two features at which a neighbour counts by a third (1/e)."""

    def features(self, face: FaceFeatures, neighbours: Sequence[tuple[int, FaceFeatures]]) -> FaceFeatures:
        """The face's fused features and levels, blended."""
        if self.strength == 0 or not neighbours:
            return face
        weights = self._weights(face, neighbours, self.time_constant)
        others = [other for _, other in neighbours]
        return FaceFeatures(
            fused=_average(face.fused, [o.fused for o in others], weights),
            levels=tuple(
                _average(level, [o.levels[i] for o in others], weights) for i, level in enumerate(face.levels)
            ),
            sharpness=_mean_sharpness(face, neighbours, weights),
        )

    def codes(self, face: FaceCodes, neighbours: Sequence[tuple[int, FaceCodes]]) -> FaceCodes:
        """The face with its codes' log probabilities blended: a geometric mean, which stays sharp."""
        if self.strength == 0 or not neighbours:
            return face
        features = [(away, other.features) for away, other in neighbours]
        weights = self._weights(face.features, features, self.code_time_constant)
        blended = _average(face.log_probabilities, [o.log_probabilities for _, o in neighbours], weights)
        return FaceCodes(features=face.features, log_probabilities=blended)

    def _weights(
        self, face: FaceFeatures, neighbours: Sequence[tuple[int, FaceFeatures]], time_constant: float
    ) -> Tensor:
        """(K, L, L) of each neighbour at each position, that of the face itself being 1."""
        # One after the other they stay in the processor's cache; stacked they take several times as long.
        distance = torch.stack([_distance(face.fused, other.fused) for _, other in neighbours])  # (K, L, L)
        of_frame = [
            math.exp(-0.5 * (away / time_constant) ** 2)
            * min((other.sharpness / max(face.sharpness, 1e-6)) ** 2, MOST_SHARPENING)
            for away, other in neighbours
        ]
        scale = self.strength * torch.tensor(of_frame, device=distance.device)[:, None, None]
        return scale * torch.exp(-distance / self.similarity)


def _distance(own: Tensor, other: Tensor) -> Tensor:
    """(L, L) squared distance of features (C, L, L) over their mean squared length."""
    return (own - other).square_().sum(0) / (own.square().sum(0) + other.square().sum(0) + 1e-8).mul_(0.5)


def _mean_sharpness(
    face: FaceFeatures, neighbours: Sequence[tuple[int, FaceFeatures]], weights: Tensor
) -> float:
    """The frame's own and its neighbours' sharpness, by how much of each is in the blend."""
    shares = weights.mean((1, 2)).tolist()
    total = face.sharpness + sum(
        s * other.sharpness for s, (_, other) in zip(shares, neighbours, strict=True)
    )
    return total / (1 + sum(shares))


def _average(own: Tensor, others: Sequence[Tensor], weights: Tensor) -> Tensor:
    """own (C, S, S) with weight 1 and each of the others with weights (K, L, L); S may be finer than L."""
    if own.shape[-1] != weights.shape[-1]:
        weights = F.interpolate(weights[None], own.shape[-2:], mode="bilinear")[0]
    total = own.to(torch.float32, copy=True)
    for weight, other in zip(weights, others, strict=True):
        total.addcmul_(weight, other.float())
    return total.div_(1 + weights.sum(0)).to(own.dtype)
