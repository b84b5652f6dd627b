"""Resamples pictures (N, C, H, W) as OpenCV does, so that a GPU's result equals the CPU's.

OpenCV rounds positions in a picture to a 32nd of a pixel; so does this module.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_STEPS = 32
"""Steps per pixel to which OpenCV rounds positions."""
_MODES, _PADDINGS = {"bilinear": 0, "bicubic": 2}, {"zeros": 0, "border": 1}
"""PyTorch's numbers."""
_FINE = 1024
"""Steps per pixel to which it rounds the terms of an affine position before."""
_HALF = _FINE // _STEPS // 2


def move_along(pictures: Tensor, flow: Tensor) -> Tensor:
    """(N, C, H, W) pictures, moved by a flow; edges are repeated.

    Args:
        pictures: (N, C, H, W).
        flow: (N, H, W, 2) x y [px], which leads from the result into the pictures.
    """
    height, width = flow.shape[1:3]
    rows = torch.arange(height, dtype=flow.dtype, device=flow.device)
    columns = torch.arange(width, dtype=flow.dtype, device=flow.device)
    x, y = flow[..., 0] + columns, flow[..., 1] + rows[:, None]
    return sample_at(pictures, (x * _STEPS).round() / _STEPS, (y * _STEPS).round() / _STEPS)


def sample_at(
    pictures: Tensor, x: Tensor, y: Tensor, *, mode: str = "bilinear", padding: str = "border"
) -> Tensor:
    """(N, C, h, w) the pictures at these positions.

    Args:
        pictures: (N, C, H, W).
        x: (N, h, w) columns [px].
        y: (N, h, w) rows [px].
        mode: bilinear or bicubic.
        padding: border repeats the edge, zeros is 0 outside.
    """
    height, width = pictures.shape[-2:]
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], -1)
    # Not F.grid_sample, which lets cuDNN compute with padding by zeros.
    return torch.grid_sampler_2d(pictures, grid, _MODES[mode], _PADDINGS[padding], True)


def affine_positions(
    matrix: NDArray[np.float64], width: int, height: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """The columns and rows, (height, width) each, to which a matrix leads, as `cv2.warpAffine` rounds them.

    Args:
        matrix: (2, 3) from px of the result to px of the picture.
        width: Of the result [px].
        height: Of the result [px].
        device: Where the positions are needed.
    """
    columns = torch.arange(width, dtype=torch.float64, device=device)
    rows = torch.arange(height, dtype=torch.float64, device=device)[:, None]
    return tuple(  # type: ignore[return-value]
        (
            ((columns * (float(a) * _FINE)).round() + ((rows * float(b) + float(c)) * _FINE).round() + _HALF)
            .div(_FINE // _STEPS)
            .floor()
            .div(_STEPS)
            .float()
        )
        for a, b, c in matrix
    )


def affine_steps(to_result: NDArray[np.float64], side: int) -> NDArray[np.int32]:
    """(2, 2, side): the steps of columns and of rows, of which `positions_of_steps` are sums.

    They are those of `cv2.warpAffine` for a result of `side` x `side` px, to the last bit.

    Args:
        to_result: (2, 3) from px of the picture to px of the result.
        side: Of the result [px].
    """
    (a, b, c), (d, e, f) = to_result.tolist()
    determinant = 1 / (a * e - b * d)  # OpenCV's order of operations, for the same rounding
    a, b, d, e = e * determinant, -b * determinant, -d * determinant, a * determinant
    at = np.arange(side)
    rows = [(b * at + (-a * c - b * f)) * _FINE, (e * at + (-d * c - e * f)) * _FINE]
    columns = [a * at * _FINE, d * at * _FINE]
    steps = np.stack([np.stack([np.rint(x), np.rint(y) + _HALF]) for x, y in zip(columns, rows, strict=True)])
    return steps.astype(np.int32)


def positions_of_steps(steps: Tensor) -> tuple[Tensor, Tensor]:
    """The columns and rows [px], (side, side) each, for `affine_steps` (2, 2, side) on any device."""
    of_columns, of_rows = steps.unbind(1)  # (2, side) each: for x, and for y
    positions = (of_columns[:, None, :] + of_rows[:, :, None]).div_(_FINE // _STEPS, rounding_mode="floor")
    x, y = positions.float().div_(_STEPS).unbind()
    return x, y


def enlarge_linear(maps: Tensor, side: int) -> Tensor:
    """(N, C, side, side), linearly interpolated."""
    if maps.shape[-1] == side:
        return maps
    return F.interpolate(maps, size=(side, side), mode="bilinear", align_corners=False)


def resized_tensors(pictures: Tensor, size: int) -> Tensor:
    """Pictures (N, C, S, S) in 0..1, resized to `size` pixels: the same as `estimator.resized`."""
    side = pictures.shape[-1]
    if side == size:
        return pictures
    if side < size:
        larger = F.interpolate(pictures, size=(size, size), mode="bicubic", align_corners=False)
        return larger.clamp(0, 1)
    return average_areas(pictures, size).clamp(0, 1)


def average_areas(pictures: Tensor, size: int) -> Tensor:
    """(N, C, size, size) the means of the areas of (N, C, S, S) that the new pixels cover; S >= size."""
    side = pictures.shape[-1]
    if side == size:
        return pictures
    if side % size == 0:
        return F.avg_pool2d(pictures, side // size)
    weights = _area_weights(side, size, pictures.device)
    return weights @ pictures @ weights.T


@lru_cache(maxsize=16)
def _area_weights(side: int, size: int, device: torch.device) -> Tensor:
    """(size, side): how much of each old pixel is in each new one, along an axis.

    They are cached, because each copy to a GPU would make it wait.
    """
    step = side / size
    first, old = np.arange(size)[:, None] * step, np.arange(side)
    covered = np.minimum(first + step, old + 1) - np.maximum(first, old)
    return torch.tensor(np.maximum(covered, 0) / step, dtype=torch.float32, device=device)
