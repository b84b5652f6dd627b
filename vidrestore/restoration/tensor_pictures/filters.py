"""Linear filters of pictures (N, C, H, W) with OpenCV's kernels and borders.

Products of matrices compute wide filters of a fixed size: convolutions of a GPU would round their factors to
TF32. Narrow filters, whose kernels differ from face to face, are weighted sums of moved copies: a kernel that
is copied to a GPU would make it wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Border = Literal["edge", "reflect", "symmetric"]
"""By numpy's names: OpenCV's REPLICATE, REFLECT_101 and REFLECT."""


def gaussian(pictures: Tensor, reach: int, sigma: float) -> Tensor:
    """Square pictures after a Gaussian; edges are mirrored, with the last pixel.

    Args:
        pictures: (N, C, S, S).
        reach: Width of the kernel, an odd number of pixels.
        sigma: Its standard deviation [px].
    """
    kernel = cv2.getGaussianKernel(reach, sigma, cv2.CV_32F)[:, 0]
    matrix = _filter_matrix(pictures.shape[-1], tuple(map(float, kernel)), "symmetric", pictures.device)
    return matrix @ pictures @ matrix.T


def gaussian_of(pictures: Tensor, sigma: float) -> Tensor:
    """Square pictures (N, C, S, S) after `gaussian` with the reach that OpenCV chooses for `sigma` [px]."""
    return gaussian(pictures, _reach_of(sigma), sigma)


def mean_around(pictures: Tensor, reach: int) -> Tensor:
    """The mean over `reach` x `reach` pixels of square pictures, mirrored at, but without, the last pixel."""
    matrix = _filter_matrix(pictures.shape[-1], (1 / reach,) * reach, "reflect", pictures.device)
    return matrix @ pictures @ matrix.T


def low_pass(pictures: Tensor, scale: float) -> Tensor:
    """`alignment.low_pass` of tensors."""
    if scale >= 1:
        return pictures
    sigma = 0.5 * np.sqrt(1 / scale**2 - 1)
    reach = _reach_of(sigma)
    kernel = [float(weight) for weight in cv2.getGaussianKernel(reach, sigma, cv2.CV_32F)[:, 0]]
    return filter_axis(filter_axis(pictures, kernel, reach // 2, 3), kernel, reach // 2, 2)


def filter_axis(pictures: Tensor, kernel: Sequence[float], anchor: int, axis: int, step: int = 1) -> Tensor:
    """Pictures, filtered along an axis, of which every `step`-th sample is kept; edges are repeated.

    Args:
        pictures: (N, C, H, W).
        kernel: The weights.
        anchor: Index of a sample's own weight.
        axis: 2 or 3.
        step: Distance of the samples to keep.
    """
    before, after = anchor, len(kernel) - 1 - anchor
    sides = (before, after, 0, 0) if axis == 3 else (0, 0, before, after)
    padded = F.pad(pictures, sides, mode="replicate") if len(kernel) > 1 else pictures
    kept = -(-pictures.shape[axis] // step)

    def moved(offset: int) -> Tensor:
        part = padded.narrow(axis, offset, (kept - 1) * step + 1)
        return part[..., ::step] if axis == 3 else part[..., ::step, :]

    total = moved(0) * kernel[0]
    for offset, weight in enumerate(kernel[1:], 1):
        total.add_(moved(offset), alpha=weight)
    return total


def _reach_of(sigma: float) -> int:
    """Width of the kernel, as OpenCV chooses it for floating point."""
    return round(sigma * 8 + 1) | 1


@lru_cache(maxsize=32)
def _filter_matrix(side: int, kernel: tuple[float, ...], border: Border, device: torch.device) -> Tensor:
    """(side, side): what a symmetric filter does along an axis."""
    reach = len(kernel) // 2
    sources = np.pad(np.arange(side), reach, mode=border)
    matrix = np.zeros((side, side), np.float64)
    for offset, weight in enumerate(kernel):
        np.add.at(matrix, (np.arange(side), sources[offset : offset + side]), weight)
    return torch.tensor(matrix, dtype=torch.float32, device=device)
