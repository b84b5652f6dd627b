"""Laplacian pyramids of pictures: bands of one octave each, and the remaining low frequencies.

Downsampling filters by [1 3 3 1] / 8 and keeps every second sample; upsampling is bilinear. Neither moves
the picture's centre. Letters in shapes: N pictures, C channels, H x W pixels.

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
_LEAK_STEPS = 3
"""Each step leaves about half of a leak, as downsampling and upsampling are no exact inverses."""


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
    """The picture (N, C, H, W) from its bands, finest first: the inverse of `split_bands`."""
    picture = bands[-1]
    for band in reversed(bands[:-1]):
        picture = band + upsample(picture)
    return picture


def downsample(picture: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H / 2, W / 2) without aliasing."""
    # Sums of slices: on a CPU, pooling takes ten times as long.
    x = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    # Rows first, as they lie together in memory.
    x = (x[..., 0:-2:2, :] + x[..., 3::2, :] + 3 * (x[..., 1:-1:2, :] + x[..., 2::2, :])) / 8
    return (x[..., 0:-2:2] + x[..., 3::2] + 3 * (x[..., 1:-1:2] + x[..., 2::2])) / 8


def without_leak(band: Tensor, coarser_gain: Tensor) -> Tensor:
    """A band without what it puts into the next coarser band, where that band may not change.

    A band times a gain that varies is not zero at coarser resolutions.

    Args:
        band: (N, 1, H, W).
        coarser_gain: (N, 1, H / 2, W / 2) in 0..1: 0 where the coarser band must stay, 1 where it may change.
    """
    if min(band.shape[-2:]) <= 2:
        return band
    leak = downsample(band)
    removed = part = (1 - coarser_gain) * leak
    for _ in range(_LEAK_STEPS - 1):
        leak = leak - _enlarged_and_reduced(part)
        part = (1 - coarser_gain) * leak
        removed = removed + part
    return band - upsample(removed)


def _enlarged_and_reduced(picture: Tensor) -> Tensor:
    """`downsample(upsample(picture))`, which filters (N, C, H, W) by [3 10 3] / 16 in both directions."""
    x = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    x = 0.1875 * (x[..., :-2, :] + x[..., 2:, :]) + 0.625 * x[..., 1:-1, :]
    return 0.1875 * (x[..., :-2] + x[..., 2:]) + 0.625 * x[..., 1:-1]


def local_mean(values: Tensor, window: int) -> Tensor:
    """The mean of (N, C, H, W) over a square of `window` pixels, an odd number, around each pixel.

    Beyond the edge, the last pixel is repeated.
    """
    reach = window // 2
    x = F.pad(values, (reach,) * 4, mode="replicate")
    height, width = values.shape[-2:]
    # Sums of slices: on a CPU, pooling takes five times as long.
    rows = x[..., :height, :].clone()
    for step in range(1, window):
        rows += x[..., step : step + height, :]
    total = rows[..., :width].clone()
    for step in range(1, window):
        total += rows[..., step : step + width]
    return total / window**2


def mean_square(pictures: Tensor) -> Tensor:
    """(N,) of pictures (N, C, H, W)."""
    return pictures.square().mean((1, 2, 3))


def upsample(picture: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, 2 H, 2 W), bilinear."""
    return F.interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)
