"""One estimate of a picture from two: at its own size, and at half of it.

In a picture of half the size, the network's layers see twice as far. So it knows more about coarse detail
there, and fine detail at the full size. In each band both know, the means are averaged with weights by the
scales of their errors,

    weight_k = unsure_k * full_scale_k / (full_scale_k + HALF_SIZE_SHARE * half_scale_k),
    mean_k = weight_k * half_mean_k + (1 - weight_k) * full_mean_k,

and the scale is averaged with the same weights. The finest band is that of the full size. unsure_k is 0 where
the full size is sure, and in faces of which it is sure on the whole: what shows clean detail stays.

Letters in shapes: N pictures, K bands, H x W pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.evidence.network import Evidence, EvidenceNetwork
from vidrestore.evidence.pyramid import downsample, merge_bands, split_bands, upsample

LARGEST_FACE = 128
"""Pixels a side of the largest face at half size that the network for whole faces estimates. Larger ones look
like crops to it, which it was not trained on."""
HALF_SIZE_SHARE = 0.7
"""Share of its scale that counts at half size. On 23 people held out, small faces gain 0.03 dB by it, those
on film 0.02, and those with noise lose 0.01."""
SURE_UP_TO, UNSURE_FROM = 0.5 / 255, 1 / 255
"""Scale at full size: below the first value its estimate stays, from the second one on both are averaged. So
it is for each band at each place, and for the mean over a face in the finest of the averaged bands."""


class TwoSizeEvidence(nn.Module):
    """Degraded faces (N, 3, S, S) RGB in 0..1 -> `Evidence`; S is a multiple of 16.

    In coarse bands it is more exact than the evidence of one network at one size.
    """

    def __init__(self, network: EvidenceNetwork, whole_faces: EvidenceNetwork | None = None) -> None:
        """Joins networks.

        Args:
            network: For faces of any size.
            whole_faces: For faces at half size of at most `LARGEST_FACE` pixels; None: `network`.
        """
        super().__init__()
        self.network = network
        self.whole_faces = whole_faces or network

    def forward(self, faces: Tensor) -> Evidence:
        is_small = faces.shape[-1] <= 2 * LARGEST_FACE
        half = _at_half_size(self.whole_faces if is_small else self.network, faces)
        return combine(self.network(faces), half)

    def set_precision(self, precision: torch.dtype) -> None:
        """Sets the number format of the convolutions, as `EvidenceNetwork.set_precision`."""
        for network in (self.network, self.whole_faces):
            network.set_precision(precision)


def combine(full: Evidence, half: Evidence) -> Evidence:
    """The average of the evidence of the same pictures at full and at half size, by certainty.

    Args:
        full: The evidence of pictures (N, 3, H, W).
        half: That of the pictures (N, 3, H / 2, W / 2).
    """
    shared = full.scale.shape[1] - 1
    full_scale, half_scale = full.scale[:, 1:], upsample(half.scale[:, :shared])
    weight = _unsure(full_scale) * full_scale / (full_scale + HALF_SIZE_SHARE * half_scale)
    shared_scale = weight * half_scale + (1 - weight) * full_scale
    scale = torch.cat([full.scale[:, :1], shared_scale], dim=1)
    bands = split_bands(half.mean - downsample(full.mean), shared)
    weighted = [_reduce(weight[:, k : k + 1], 2**k) * band for k, band in enumerate(bands)]
    return Evidence(full.mean + upsample(merge_bands(weighted)), scale)


def _unsure(scale: Tensor) -> Tensor:
    """(N, K, H, W) 0..1 for scales of bands, finest first: 0 where the estimate is sure."""
    of_face = scale[:, :1].mean((2, 3), keepdim=True)
    local, whole = ((s - SURE_UP_TO) / (UNSURE_FROM - SURE_UP_TO) for s in (scale, of_face))
    return local.clamp(0, 1) * whole.clamp(0, 1)


def _at_half_size(network: EvidenceNetwork, pictures: Tensor) -> Evidence:
    """The evidence of pictures (N, 3, H, W), which are reduced to half their size."""
    columns = pictures[..., 0::2] + pictures[..., 1::2]
    half = (columns[..., 0::2, :] + columns[..., 1::2, :]) / 4
    height, width = half.shape[-2:]
    below, right = (-side % network.config.multiple for side in (height, width))
    evidence = network(F.pad(half, (0, right, 0, below), mode="replicate"))
    return Evidence(evidence.mean[..., :height, :width], evidence.scale[..., : height // 2, : width // 2])


def _reduce(values: Tensor, side: int) -> Tensor:
    """(N, 1, H, W), sides divided by `side`: the means of squares of values."""
    return F.avg_pool2d(values, side) if side > 1 else values
