"""Blends a face over time, so that it does not flicker: its estimate, features, codes and picture.

Before the generator draws, estimates are averaged along the face's motion (`estimate_average`). The rest is
in docs/daefr.md, "What the paper does not have". Between `encode` and `predict`, each of the L x L positions
of a face is averaged with the same position in neighbouring frames of the track; between `predict` and
`decode`, the probabilities of its codes are averaged. The weight of a neighbour depends on its distance in
time, its sharpness, and the similarity of its feature *at that position*. So a moving mouth keeps its motion
while the cheek is stabilised, and a blurred frame gets detail from sharp ones. After `decode`, pictures are
averaged along their motion (`flow_average.average_along_motion`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from vidrestore.restoration.estimate_average import average_estimates
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.flow_average import average_along_motion
from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.restoration.pinned_copies import to_device
from vidrestore.restoration.tensor_pictures.motion_average import (
    average_tensor_estimates,
    average_tensor_pictures,
)
from vidrestore.restoration.tensor_pictures.pictures import TensorEstimate, TensorPicture
from vidrestore.types import FloatArray

T = TypeVar("T")
"""A value of a neighbouring face: features, codes or a picture."""
AnyEstimate = FaceEstimate | TensorEstimate
AnyPicture = FloatArray | TensorPicture
MOST_SHARPENING = 4.0
"""Largest factor of a neighbour's sharpness on its weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalBlend:
    """How a face is blended with its neighbours, which are given as pairs (distance in frames, face)."""

    strength: float
    """Weight of the neighbours, 0..1; 0: no blending."""
    offsets: tuple[int, ...] = (1, 2)
    """Distances of the neighbours whose features are used, on both sides, nearest first. Distant frames are
    similar, so only some are used; each has the weight of those that were left out before it. Odd and even
    distances have equal weight, so that changes that alternate between frames cancel."""
    time_constant: float = 3.5
    """Standard deviation of the weight over time, in frames."""
    code_offsets: tuple[int, ...] = (1, 2, 5, 8, 12)
    """The same for codes. They reach further, because codes are only averaged where features are similar."""
    code_time_constant: float = 18.0
    picture_offsets: tuple[int, ...] = (1, 2)
    """The same for restored pictures."""
    picture_time_constant: float = 3.0
    estimate_offsets: tuple[int, ...] = (1, 2)
    """The same for estimates."""
    estimate_time_constant: float = 3.0
    similarity: float = 0.4
    """Relative squared distance of two features at which the weight of a neighbour is 1/e."""

    @property
    def reach(self) -> int:
        """Number of frames on each side on which a restored face depends."""
        each = (self.estimate_offsets, self.offsets, self.code_offsets, self.picture_offsets)
        return sum(map(self.reach_of, each))

    def reach_of(self, offsets: tuple[int, ...]) -> int:
        """Number of frames on each side on which an average with these distances depends."""
        return offsets[-1] if self.strength else 0

    def estimate(self, face: AnyEstimate, neighbours: Sequence[tuple[int, AnyEstimate]]) -> AnyEstimate:
        """The estimate of the face, averaged along its motion, on the device if it is there."""
        shares = _shares(neighbours, self.estimate_offsets, self.estimate_time_constant, self.strength)
        if not shares:
            return face
        if isinstance(face, TensorEstimate):
            return average_tensor_estimates(face, _of_type(TensorEstimate, shares))
        return average_estimates(face, _of_type(FaceEstimate, shares))

    def features(self, face: FaceFeatures, neighbours: Sequence[tuple[int, FaceFeatures]]) -> FaceFeatures:
        """The face's fused features, blended."""
        shares = _shares(neighbours, self.offsets, self.time_constant, self.strength)
        if not shares:
            return face
        others = [other for _, other in shares]
        weights = self._weights(face, shares)
        return FaceFeatures(
            fused=_average(face.fused, [o.fused for o in others], weights),
            face=face.face,  # of an estimate that has been averaged along the motion
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

    def picture(self, face: AnyPicture, neighbours: Sequence[tuple[int, AnyPicture]]) -> AnyPicture:
        """The restored picture (S, S, 3), averaged with those of neighbouring frames."""
        shares = _shares(neighbours, self.picture_offsets, self.picture_time_constant, self.strength)
        if not shares:
            return face
        if isinstance(face, TensorPicture):
            return average_tensor_pictures(face, _of_type(TensorPicture, shares))
        return average_along_motion(face, _of_type(np.ndarray, shares))

    def _weights(self, face: FaceFeatures, others: Sequence[tuple[float, FaceFeatures]]) -> Tensor:
        """(K, L, L) weights of the neighbours at each position; the face itself has weight 1."""
        distance = _distances(face.fused, [other.fused for _, other in others])
        sharper = torch.stack([other.sharpness for _, other in others]) / face.sharpness.clamp(min=1e-6)
        shares = numbers_on(tuple(share for share, _ in others), distance.device)
        scale = shares * sharper.square().clamp(max=MOST_SHARPENING)
        return scale[:, None, None] * torch.exp(-distance / self.similarity)


def weights_over_time(offsets: tuple[int, ...], time_constant: float, strength: float) -> dict[int, float]:
    """The weight of a neighbour over time, by its distance in frames; empty if the strength is 0.

    Args:
        offsets: Distances that are used, nearest first.
        time_constant: Standard deviation of the weight, in frames.
        strength: Weight of the neighbours, 0..1.
    """
    stands_for = {after: after - before for before, after in pairwise((0, *offsets))} if strength else {}
    return {
        away: strength * count * math.exp(-0.5 * (away / time_constant) ** 2)
        for offset, count in stands_for.items()
        for away in (-offset, offset)
    }


def _shares(
    neighbours: Sequence[tuple[int, T]], offsets: tuple[int, ...], time_constant: float, strength: float
) -> list[tuple[float, T]]:
    """The neighbours to use, each with its weight over time; none if the strength is 0."""
    over_time = weights_over_time(offsets, time_constant, strength)
    return [(over_time[away], neighbour) for away, neighbour in neighbours if away in over_time]


def _of_type(kind: type[T], shares: Sequence[tuple[float, object]]) -> list[tuple[float, T]]:
    """The neighbours of this type; all faces of a run are of the same."""
    return [(share, other) for share, other in shares if isinstance(other, kind)]


@lru_cache(maxsize=64)
def numbers_on(numbers: tuple[float, ...] | tuple[tuple[float, ...], ...], device: torch.device) -> Tensor:
    """The numbers as float32 on the device, cached; copying them does not wait for a GPU."""
    return to_device([np.array(numbers, np.float32)], device)[0]


def _distances(own: Tensor, others: Sequence[Tensor]) -> Tensor:
    """(K, L, L) squared distances of features (C, L, L), divided by their mean squared length."""
    # One after the other they fit into the CPU's cache; stacked they take several times as long.
    squared = torch.stack([(own - other).square_().sum(0) for other in others])
    lengths = torch.stack([other.square().sum(0) for other in others])
    return squared / (own.square().sum(0) + lengths + 1e-8).mul_(0.5)


def _mean_sharpness(face: FaceFeatures, others: Sequence[FaceFeatures], weights: Tensor) -> Tensor:
    """The mean sharpness of the frame and its neighbours with the weights of the blend, a scalar."""
    shares = weights.mean((1, 2))
    total = face.sharpness + (shares * torch.stack([other.sharpness for other in others])).sum()
    return total / (1 + shares.sum())


def _average(own: Tensor, others: Sequence[Tensor], weights: Tensor) -> Tensor:
    """The average of own (C, L, L) with weight 1 and of the others with weights (K, L, L)."""
    # Weights are normalised first: a division at the end would read the whole result again.
    own_share = 1 / (1 + weights.sum(0))
    total = own.float() * own_share
    for share, other in zip(weights * own_share, others, strict=True):
        total.addcmul_(share, other.float())
    return total.to(own.dtype)
