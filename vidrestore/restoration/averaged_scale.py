"""The scale of an estimate's error after averaging over time: what the average removed is no longer missing.

The part of an error that differs from frame to frame becomes smaller by averaging; the part that frames have
in common stays. If the first part has the variance s² in each of n frames, s² / n of it remains. The mean
square of the difference between the estimate and the average is s² - s² / n: exactly what is gone. So it is
subtracted from the predicted variance.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.evidence.pyramid import local_mean, split_bands

WINDOW = 9
"""Pixels of a band a side over which the mean square is taken."""
LEAST_SHARE = 0.1
"""Share of a variance that remains at least, as motion is not known exactly."""


@torch.inference_mode()
def averaged_scale(scale: Tensor, removed: Tensor) -> Tensor:
    """The scale of the error that remains.

    Args:
        scale: (N, K, S / 2, S / 2), the Laplace scale of each band before averaging, finest first.
        removed: (N, C, S, S), the estimate before averaging minus that after it.
    """
    energies = [band.square().mean(1, keepdim=True) for band in split_bands(removed, scale.shape[1])]
    fallen = torch.cat([_at_size(local_mean(energy, WINDOW), scale.shape[-1]) for energy in energies], dim=1)
    variance = 2 * scale.square()
    return (torch.maximum(variance - fallen, LEAST_SHARE * variance) / 2).sqrt()


def _at_size(energy: Tensor, size: int) -> Tensor:
    if energy.shape[-1] > size:
        return F.avg_pool2d(energy, 2)
    return F.interpolate(energy, size=(size, size), mode="bilinear", align_corners=False)
