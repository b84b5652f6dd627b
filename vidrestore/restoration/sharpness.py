"""The sharpness of a face, independent of its contrast."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from vidrestore.faces.alignment import eyes_to_mouth_box
from vidrestore.restoration.tensor_pictures.luma import luma

FINE_SIDE, COARSE_SIDE = 64, 16
"""Sides at which fine and coarse detail are measured [px]. Both are too small to show grain."""


def relative_sharpness(faces: Tensor) -> Tensor:
    """Fine detail divided by coarse detail, (N,), usually 0.2 to 0.7.

    Both are `alignment.sharpness`, at 64 and at 16 pixels, so the contrast has no effect.

    Args:
        faces: (N, S, S, 3) in 0..1.
    """
    fine = F.adaptive_avg_pool2d(faces.permute(0, 3, 1, 2), FINE_SIDE)
    return _sharpness(fine) / _sharpness(F.adaptive_avg_pool2d(fine, COARSE_SIDE)).clamp(min=1)


def _sharpness(pictures: Tensor) -> Tensor:
    """(N,) mean magnitude of the luma's Laplacian of pictures (N, 3, S, S), in 8-bit codes."""
    x0, y0, x1, y1 = eyes_to_mouth_box(pictures.shape[-1])
    codes = (255 * luma(pictures))[:, y0 - 1 : y1 + 1, x0 - 1 : x1 + 1]
    beside = codes[:, 1:-1, :-2] + codes[:, 1:-1, 2:] + codes[:, :-2, 1:-1] + codes[:, 2:, 1:-1]
    return (beside - 4 * codes[:, 1:-1, 1:-1]).abs().mean((1, 2))
