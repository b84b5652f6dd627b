"""Laplacian pyramids of pictures: bands that are one octave wide each, and what remains.

The step down is the filter [1 3 3 1] / 8 with every second sample kept; the step up is bilinear. Both keep
the picture's centre where it is. Letters in shapes: N pictures, C channels, H x W pixels.

Source: Burt and Adelson 1983, "The Laplacian pyramid as a compact image code".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

BANDS = 5
"""Four octaves and the remaining low frequencies."""
MULTIPLE = 2 ** (BANDS - 1)
"""Sides of pictures must be multiples of this many pixels."""


def split_bands(picture: Tensor, count: int = BANDS) -> list[Tensor]:
    """The Laplacian bands of a picture, finest first.

    Args:
        picture: (N, C, H, W); H and W are multiples of 2 ** (count - 1).
        count: how many bands, the low frequencies included.

    Returns:
        `count` tensors; band k is (N, C, H / 2**k, W / 2**k).
    """
    bands = []
    for _ in range(count - 1):
        smaller = downsample(picture)
        bands.append(picture - upsample(smaller))
        picture = smaller
    return [*bands, picture]


def merge_bands(bands: Sequence[Tensor]) -> Tensor:
    """The picture (N, C, H, W) whose bands, finest first, are given: the inverse of `split_bands`."""
    picture = bands[-1]
    for band in reversed(bands[:-1]):
        picture = band + upsample(picture)
    return picture


def downsample(picture: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H / 2, W / 2) without aliasing."""
    # [1 3 3 1] / 8 is [1 2 1] / 4 followed by the mean of two neighbours, and [1 2 1] / 4 twice the latter.
    padded = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(F.avg_pool2d(F.avg_pool2d(padded, 2, stride=1), 2, stride=1), 2, stride=2)


def upsample(picture: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2 H, 2 W), bilinear."""
    return F.interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)
