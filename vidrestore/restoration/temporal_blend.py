"""One face blended over time, so that it does not flicker: its estimate, features, codes and picture.

Before the generator draws, estimates are averaged along the face's motion (`estimate_average`). The rest is
the specification's "What the paper does not have": between `encode` and `predict` each of the L x L positions
of a face is averaged with the same position in neighbouring frames of the track; between `predict` and
`decode` the probabilities of its codes are. A neighbour counts by how near it is in time, by how sharp it is,
and by how alike its feature is *at that position*: a moving mouth keeps its motion while the cheek beside it
is steadied, and a blurred frame borrows from the sharp ones around it. After `decode` the pictures are
averaged along their motion (`flow_average.average_along_motion`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

from vidrestore.restoration.estimate_average import average_estimates
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.flow_average import average_along_motion
from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.types import FloatArray

T = TypeVar("T")
"""What there is of a neighbouring face: its features, its codes or its picture."""
MOST_SHARPENING = 4.0
"""Largest factor that a neighbour's sharpness puts on its weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalBlend:
    """How a face is blended with its neighbours, which are given as (frames away, face)."""

    strength: float
    """0..1: weight of the neighbours against the frame itself; 0 leaves faces as they are."""
    offsets: tuple[int, ...] = (1, 2)
    """Frames to either side whose features are looked at, nearest first. Each stands for those left out
    before it as well: far ones say much the same, and every one of them takes time. Odd and even ones weigh
    alike, or what alternates from frame to frame would stay."""
    time_constant: float = 3.5
    """Standard deviation of the weight over time, in frames."""
    code_offsets: tuple[int, ...] = (1, 2, 5, 8, 12)
    """As `offsets`, for codes: where features agree, a longer look harms no motion."""
    code_time_constant: float = 18.0
    picture_offsets: tuple[int, ...] = (1, 2)
    """As `offsets`, for restored pictures."""
    picture_time_constant: float = 3.0
    estimate_offsets: tuple[int, ...] = (1, 2)
    """As `offsets`, for estimates of what the footage shows."""
    estimate_time_constant: float = 3.0
    similarity: float = 0.4
    """Relative squared distance of two features at which a neighbour counts by a third (1/e)."""

    @property
    def reach(self) -> int:
        """Frames to either side that a restored face depends on."""
        each = (self.estimate_offsets, self.offsets, self.code_offsets, self.picture_offsets)
        return sum(map(self.reach_of, each))

    def reach_of(self, offsets: tuple[int, ...]) -> int:
        """Frames to either side that one of the averages depends on."""
        return offsets[-1] if self.strength else 0

    def estimate(self, face: FaceEstimate, neighbours: Sequence[tuple[int, FaceEstimate]]) -> FaceEstimate:
        """The face's estimate averaged along its motion, each frame by how sure it is."""
        shares = _shares(neighbours, self.estimate_offsets, self.estimate_time_constant, self.strength)
        return average_estimates(face, shares) if shares else face

    def features(self, face: FaceFeatures, neighbours: Sequence[tuple[int, FaceFeatures]]) -> FaceFeatures:
        """The face's fused features, blended."""
        shares = _shares(neighbours, self.offsets, self.time_constant, self.strength)
        if not shares:
            return face
        others = [other for _, other in shares]
        weights = self._weights(face, shares)
        return FaceFeatures(
            fused=_average(face.fused, [o.fused for o in others], weights),
            levels=face.levels,  # of an estimate that has been averaged along the motion
            sharpness=_mean_sharpness(face, others, weights),
        )

    def codes(self, face: FaceCodes, neighbours: Sequence[tuple[int, FaceCodes]]) -> FaceCodes:
        """The face with its codes' log probabilities blended: a geometric mean, which stays sharp."""
        shares = _shares(neighbours, self.code_offsets, self.code_time_constant, self.strength)
        if not shares:
            return face
        weights = self._weights(face.features, [(share, other.features) for share, other in shares])
        blended = _average(face.log_probabilities, [o.log_probabilities for _, o in shares], weights)
        return FaceCodes(features=face.features, log_probabilities=blended)

    def picture(self, face: FloatArray, neighbours: Sequence[tuple[int, FloatArray]]) -> FloatArray:
        """The restored face (S, S, 3) averaged with what neighbouring frames show of it."""
        shares = _shares(neighbours, self.picture_offsets, self.picture_time_constant, self.strength)
        return average_along_motion(face, shares) if shares else face

    def _weights(self, face: FaceFeatures, others: Sequence[tuple[float, FaceFeatures]]) -> Tensor:
        """(K, L, L) of each neighbour, given with its share, at each position; of the face itself 1."""
        distance = _distances(face.fused, [other.fused for _, other in others])
        sharper = torch.stack([other.sharpness for _, other in others]) / face.sharpness.clamp(min=1e-6)
        shares = _on_device(tuple(share for share, _ in others), distance.device)
        scale = shares * sharper.square().clamp(max=MOST_SHARPENING)
        return scale[:, None, None] * torch.exp(-distance / self.similarity)


def _shares(
    neighbours: Sequence[tuple[int, T]], offsets: tuple[int, ...], time_constant: float, strength: float
) -> list[tuple[float, T]]:
    """Those of the neighbours that are looked at, each with its weight over time; none without strength."""
    stands_for = {after: after - before for before, after in pairwise((0, *offsets))} if strength else {}
    return [
        (strength * stands_for[abs(offset)] * math.exp(-0.5 * (offset / time_constant) ** 2), neighbour)
        for offset, neighbour in neighbours
        if abs(offset) in stands_for
    ]


@lru_cache(maxsize=64)
def _on_device(numbers: tuple[float, ...], device: torch.device) -> Tensor:
    """(N,) float32. Cached, because copying the same numbers to a GPU each time would make it wait."""
    return torch.tensor(numbers, device=device)


def _distances(own: Tensor, others: Sequence[Tensor]) -> Tensor:
    """(K, L, L) squared distances of features (C, L, L) over their mean squared length."""
    # One after the other they stay in the processor's cache; stacked they take several times as long.
    squared = torch.stack([(own - other).square_().sum(0) for other in others])
    lengths = torch.stack([other.square().sum(0) for other in others])
    return squared / (own.square().sum(0) + lengths + 1e-8).mul_(0.5)


def _mean_sharpness(face: FaceFeatures, others: Sequence[FaceFeatures], weights: Tensor) -> Tensor:
    """() the frame's own and its neighbours' sharpness, by how much of each is in the blend."""
    shares = weights.mean((1, 2))
    total = face.sharpness + (shares * torch.stack([other.sharpness for other in others])).sum()
    return total / (1 + shares.sum())


def _average(own: Tensor, others: Sequence[Tensor], weights: Tensor) -> Tensor:
    """own (C, L, L) with weight 1 and each of the others with weights (K, L, L)."""
    # Shares of a whole, not weights: to divide by their sum at the end would go through all of it once more.
    own_share = 1 / (1 + weights.sum(0))
    total = own.float() * own_share
    for share, other in zip(weights * own_share, others, strict=True):
        total.addcmul_(share, other.float())
    return total.to(own.dtype)
