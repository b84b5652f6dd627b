"""Blends the features and the codes of a batch of faces together, for GPUs.

`TemporalBlend` computes one face after another, which is fastest on a CPU, where a face fits into the cache.
On a GPU each of its many small operations is a kernel launch. Here all faces of a batch are computed
together, one distance in time after another, in the same order as there.

Letters in shapes: N faces, K distances in time, C channels, L x L positions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.restoration.temporal_blend import (
    MOST_SHARPENING,
    TemporalBlend,
    numbers_on,
    weights_over_time,
)
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory
from vidrestore.runtime.launching_thread import launch
from vidrestore.runtime.system_errors import is_out_of_memory

logger = logging.getLogger(__name__)

T = TypeVar("T")
Neighbours = Sequence[tuple[int, T]]
"""The same face in other frames, as pairs (distance in frames, its value)."""


def blend_features(
    blend: TemporalBlend, faces: Sequence[tuple[FaceFeatures, Neighbours[FaceFeatures]]]
) -> list[FaceFeatures]:
    """`TemporalBlend.features` of each face; on a GPU of all together, equal up to rounding.

    Args:
        blend: How faces are blended.
        faces: The faces of a batch, with their neighbours.
    """
    if not faces:
        return []
    device = faces[0][0].fused.device
    return launch(device, lambda: _blended(features_together, blend, blend.features, faces, device))


def blend_codes(
    blend: TemporalBlend, faces: Sequence[tuple[FaceCodes, Neighbours[FaceCodes]]]
) -> list[FaceCodes]:
    """`TemporalBlend.codes` of each face; on a GPU of all together, equal up to rounding.

    Args:
        blend: How faces are blended.
        faces: The faces of a batch, with their neighbours.
    """
    if not faces:
        return []
    device = faces[0][0].log_probabilities.device
    return launch(device, lambda: _blended(codes_together, blend, blend.codes, faces, device))


@torch.inference_mode()
def features_together(
    blend: TemporalBlend, faces: Sequence[tuple[FaceFeatures, Neighbours[FaceFeatures]]]
) -> list[FaceFeatures]:
    """The faces with blended features, computed together. Arguments are those of `blend_features`."""
    over_time = weights_over_time(blend.offsets, blend.time_constant, blend.strength)
    others, shares = _by_distance(faces, over_time)
    own = [face for face, _ in faces]
    if not others:
        return own
    weights = _weights(blend, own, others, shares)
    fused = _average(
        torch.stack([face.fused for face in own]), [[o.fused for o in faces] for faces in others], weights
    )
    sharpness = _mean_sharpness(own, others, weights)
    return [
        FaceFeatures(fused=fused[i], face=face.face, sharpness=sharpness[i]) for i, face in enumerate(own)
    ]


@torch.inference_mode()
def codes_together(
    blend: TemporalBlend, faces: Sequence[tuple[FaceCodes, Neighbours[FaceCodes]]]
) -> list[FaceCodes]:
    """The faces with blended codes, computed together. Arguments are those of `blend_codes`."""
    over_time = weights_over_time(blend.code_offsets, blend.code_time_constant, blend.strength)
    others, shares = _by_distance(faces, over_time)
    own = [face for face, _ in faces]
    if not others:
        return own
    features = [[other.features for other in faces] for faces in others]
    weights = _weights(blend, [face.features for face in own], features, shares)
    blended = _average(
        torch.stack([face.log_probabilities for face in own]),
        [[other.log_probabilities for other in faces] for faces in others],
        weights,
    )
    return [FaceCodes(features=f.features, log_probabilities=blended[i]) for i, f in enumerate(own)]


def _blended(
    blend_together: Callable[[TemporalBlend, Sequence[tuple[T, Neighbours[T]]]], list[T]],
    blend: TemporalBlend,
    blend_alone: Callable[[T, Neighbours[T]], T],
    faces: Sequence[tuple[T, Neighbours[T]]],
    device: torch.device,
) -> list[T]:
    """The blended faces; on a GPU of all together, or one by one if its memory does not suffice for that."""
    if device.type == "cpu":
        return [blend_alone(face, neighbours) for face, neighbours in faces]
    try:
        return blend_together(blend, faces)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        logger.info("faces are blended one by one: %s", error)
    return [with_freed_memory(partial(blend_alone, face, neighbours)) for face, neighbours in faces]


def _by_distance(
    faces: Sequence[tuple[T, Neighbours[T]]], over_time: dict[int, float]
) -> tuple[list[list[T]], tuple[tuple[float, ...], ...]]:
    """For each distance that any face has: a neighbour for every face, and the weights over time, (K, N).

    A face without a neighbour at a distance stands in for it, with weight 0.
    """
    around = [{away: other for away, other in neighbours if away in over_time} for _, neighbours in faces]
    distances = sorted({away for others in around for away in others})
    others = [
        [others.get(away, own) for (own, _), others in zip(faces, around, strict=True)] for away in distances
    ]
    shares = tuple(
        tuple(over_time[away] if away in others else 0.0 for others in around) for away in distances
    )
    return others, shares


def _weights(
    blend: TemporalBlend,
    own: Sequence[FaceFeatures],
    others: Sequence[Sequence[FaceFeatures]],
    shares: tuple[tuple[float, ...], ...],
) -> Tensor:
    """(K, N, L, L) weights of the neighbours at each position; the face itself has weight 1."""
    fused = torch.stack([face.fused for face in own])  # (N, C, L, L)
    squared, lengths = [], []
    for faces in others:
        other = torch.stack([face.fused for face in faces])
        squared.append((fused - other).square_().sum(1))
        lengths.append(other.square_().sum(1))
    both = fused.square().sum(1) + torch.stack(lengths)  # (K, N, L, L)
    distance = torch.stack(squared) / (both + 1e-8).mul_(0.5)
    sharper = _sharpness(others) / torch.stack([face.sharpness for face in own]).clamp(min=1e-6)
    scale = numbers_on(shares, fused.device) * sharper.square().clamp(max=MOST_SHARPENING)
    return scale[:, :, None, None] * torch.exp(-distance / blend.similarity)


def _sharpness(others: Sequence[Sequence[FaceFeatures]]) -> Tensor:
    """(K, N)"""
    return torch.stack([face.sharpness for faces in others for face in faces]).view(len(others), -1)


def _mean_sharpness(
    own: Sequence[FaceFeatures], others: Sequence[Sequence[FaceFeatures]], weights: Tensor
) -> Tensor:
    """(N,) mean sharpness of each face and its neighbours, with the weights of the blend."""
    shares = weights.mean((2, 3))
    total = torch.stack([face.sharpness for face in own]) + (shares * _sharpness(others)).sum(0)
    return total / (1 + shares.sum(0))


def _average(own: Tensor, others: Sequence[Sequence[Tensor]], weights: Tensor) -> Tensor:
    """The average of own (N, C, L, L) with weight 1 and of the others with weights (K, N, L, L)."""
    own_share = 1 / (1 + weights.sum(0))  # (N, L, L)
    total = own * own_share[:, None]
    for share, faces in zip(weights * own_share, others, strict=True):
        total.addcmul_(share[:, None], torch.stack(list(faces)))
    return total
