"""The fusion rule: draw only what the footage does not show.

The evidence network estimates the clean face and, for each band of a Laplacian pyramid, the scale of its own
error. The generator draws a complete face. The result is the estimate plus as much of the drawn detail as the
estimate is known to lack: in band k the drawn detail enters with the gain

    g_k = min(1, amount * sqrt(2) * scale_k / (rms_k + epsilon)),

where rms_k is the drawn detail's local root mean square and sqrt(2) * scale_k that of the estimate's error by
its Laplace distribution. So no more energy enters than is missing. Where the scale is zero nothing enters,
whatever was drawn. Colour is the estimate's: drawn detail enters as luma.

Letters in shapes: N faces, S x S pixels, K bands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.evidence import Evidence, merge_bands, scales_of_bands, split_bands
from vidrestore.evidence.pyramid import downsample, upsample

EPSILON = 0.25 / 255
"""Added to the drawn detail's root mean square: a quarter of a code."""
WINDOW = 5
"""Pixels of a band a side over which its root mean square and its gain are averaged."""
AMOUNT = 1.0
"""Share of the missing energy that is drawn by the rule."""
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Fused:
    """Faces after the rule."""

    faces: Tensor
    """(N, 3, S, S) RGB, clipped to 0..1."""
    drawn: Tensor
    """(N, 1, S, S) luma of the detail that the generator added."""


def fuse(evidence: Evidence, generated: Tensor, *, amount: float = AMOUNT) -> Fused:
    """Complete the estimate with drawn detail where it is unsure.

    Args:
        evidence: of N faces; its mean is (N, 3, S, S).
        generated: (N, 3, S, S) in 0..1, the same faces as the generator draws them.
        amount: share of the missing energy that may be drawn; 0 gives the mean.
    """
    detail = _luma(generated - evidence.mean)
    bands = split_bands(detail)
    scales = scales_of_bands(evidence.scale)
    entering = [_limited(band, scale, amount) for band, scale in zip(bands, scales, strict=True)]
    drawn = merge_bands(entering)
    return Fused((evidence.mean + drawn).clamp(0, 1), drawn)


def possible_change(evidence: Evidence) -> Tensor:
    """(N,) the root mean square that the rule may add at most, whatever the generator draws, in 0..1."""
    energy = sum(
        2 * scale.square().mean((1, 2, 3)) for scale in scales_of_bands(evidence.scale)
    )
    assert isinstance(energy, Tensor)
    return energy.sqrt()


def _limited(band: Tensor, scale: Tensor, amount: float) -> Tensor:
    """A band of drawn detail (N, 1, h, w), no stronger anywhere than what is missing there."""
    strength = _mean_around(band.square()).sqrt()
    gain = (amount * math.sqrt(2) * scale / (strength + EPSILON)).clamp(max=1)
    # Smoothing must not raise the gain above what it is allowed to be: where nothing may enter, nothing does.
    return band * torch.minimum(gain, _mean_around(gain))


def _mean_around(values: Tensor) -> Tensor:
    reach = min(WINDOW, min(values.shape[-2:])) // 2
    padded = F.pad(values, (reach,) * 4, mode="replicate")
    return F.avg_pool2d(padded, 2 * reach + 1, stride=1)


def _luma(pictures: Tensor) -> Tensor:
    weights = pictures.new_tensor(LUMA)[:, None, None]
    return (pictures * weights).sum(1, keepdim=True)
