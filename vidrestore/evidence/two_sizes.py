"""One estimate of a picture from two: at its own size, and at half of it.

In a picture of half the size the network's layers see twice as far, so there it knows more about coarse
detail; at the full size it knows more about fine detail. Each band that both estimate is averaged, with
weights by the scales of the errors:

    weight_k = full_scale_k / (full_scale_k + HALF_SIZE_SHARE * half_scale_k)
    mean_k = weight_k * half_mean_k + (1 - weight_k) * full_mean_k

The scale is averaged with the same weights. The finest band is that of the full size.

For faces of a usual size this is done by a network: it gets the face and the estimate at half size, and
refines the latter. That takes less time, because the network needs no coarse levels.

Letters in shapes: N pictures, K bands, H x W pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.evidence.network import Evidence, EvidenceNetwork
from vidrestore.evidence.pyramid import merge_bands, split_bands, upsample

SMALLEST_HALF, LARGEST_HALF = 64, 128
"""Sides of faces at half size [px] for which there are weights for whole faces. Smaller faces are estimated
only at their own size."""
HALF_SIZE_SHARE = 0.7
"""The scale at half size is multiplied by this before the weights are computed. Of 23 people held out, small
faces gain 0.03 dB by it."""


class TwoSizeEvidence(nn.Module):
    """Degraded faces (N, 3, S, S) RGB in 0..1 -> `Evidence`; S is a multiple of 16.

    In coarse bands it is, on average, more exact than the evidence of one network at one size.
    """

    def __init__(
        self,
        network: EvidenceNetwork,
        whole_faces: EvidenceNetwork | None = None,
        refinement: EvidenceNetwork | None = None,
    ) -> None:
        """Joins networks.

        Args:
            network: For faces of any size.
            whole_faces: For faces of at most `LARGEST_HALF` pixels a side at half size; None: `network`.
            refinement: For the same faces at full size, in place of `network`: it refines what `whole_faces`
                estimates. None: both estimates are averaged.
        """
        super().__init__()
        self.network = network
        self.whole_faces = whole_faces or network
        self.refinement = refinement

    def forward(self, faces: Tensor) -> Evidence:
        half_side = faces.shape[-1] // 2
        if half_side < SMALLEST_HALF:
            return self.network(faces)
        if half_side > LARGEST_HALF:
            return combine(self.network(faces), _at_half_size(self.network, faces))
        half = _at_half_size(self.whole_faces, faces)
        if self.refinement is not None:
            return self.refinement(faces, half)
        return combine(self.network(faces), half)

    def set_precision(self, precision: torch.dtype) -> None:
        """Sets the number format of the convolutions, as `EvidenceNetwork.set_precision`."""
        for network in (self.network, self.whole_faces, self.refinement):
            if network is not None:
                network.set_precision(precision)


def combine(full: Evidence, half: Evidence) -> Evidence:
    """The average of the evidence of the same pictures at full and at half size, by certainty.

    Args:
        full: The evidence of pictures (N, 3, H, W).
        half: That of the pictures (N, 3, H / 2, W / 2).
    """
    shared = full.scale.shape[1] - 1
    full_scale, half_scale = full.scale[:, 1:], upsample(half.scale[:, :shared])
    weight = full_scale / (full_scale + HALF_SIZE_SHARE * half_scale)
    shared_scale = weight * half_scale + (1 - weight) * full_scale
    scale = torch.cat([full.scale[:, :1], shared_scale], dim=1)
    bands = split_bands(half.mean - halved(full.mean), shared)
    weighted = [_reduce(weight[:, k : k + 1], 2**k) * band for k, band in enumerate(bands)]
    return Evidence(full.mean + upsample(merge_bands(weighted)), scale)


def halved(pictures: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H / 2, W / 2): the mean of each 2 x 2 pixels."""
    columns = pictures[..., 0::2] + pictures[..., 1::2]
    return (columns[..., 0::2, :] + columns[..., 1::2, :]) / 4


def _at_half_size(network: EvidenceNetwork, pictures: Tensor) -> Evidence:
    """The evidence of pictures (N, 3, H, W), which are reduced to half their size."""
    half = halved(pictures)
    height, width = half.shape[-2:]
    below, right = (-side % network.config.multiple for side in (height, width))
    evidence = network(F.pad(half, (0, right, 0, below), mode="replicate"))
    return Evidence(evidence.mean[..., :height, :width], evidence.scale[..., : height // 2, : width // 2])


def _reduce(values: Tensor, side: int) -> Tensor:
    """(N, 1, H, W), sides divided by `side`: the means of squares of values."""
    return F.avg_pool2d(values, side) if side > 1 else values
