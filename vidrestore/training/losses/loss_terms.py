"""Losses for reconstruction and association."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.daefr.blocks import to_tokens
from vidrestore.errors import UsageError
from vidrestore.faces.alignment import template

PerceptualLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""From restored and true faces, and weights of positions or None, to a scalar."""


def make_perceptual(name: str) -> PerceptualLoss:
    """The perceptual loss with this name.

    Args:
        name: edges or lpips.

    Raises:
        UsageError: lpips is not installed. It is never replaced silently.
    """
    if name == "none":
        return lambda x, _, __: x.new_zeros(())
    if name == "edges":
        return edge_loss
    try:
        import lpips
    except ImportError as error:
        raise UsageError("perceptual: lpips needs the package lpips: pip install lpips") from error
    network = lpips.LPIPS(net="vgg").eval().requires_grad_(False)
    # It is not a module of a stage, because its weights are not saved; it moves to the faces' device.
    return lambda x, y, _: network.to(x.device)(x, y).mean()


def pixel_loss(x: Tensor, y: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean absolute error.

    Args:
        x: (N, 3, S, S).
        y: (N, 3, S, S).
        weights: Weights of positions with mean 1, which are broadcast; None: all are 1.
    """
    error = (x - y).abs()
    return (error if weights is None else error * weights).mean()


def edge_loss(x: Tensor, y: Tensor, weights: Tensor | None = None, scales: int = 4) -> Tensor:
    """The mean absolute error of horizontal and vertical differences, at several scales.

    It replaces LPIPS where its weights are not available. It requires edges of the right strength in the
    right place; the pixel error alone prefers blur.

    Args:
        x: (N, 3, S, S) in [-1, 1].
        y: (N, 3, S, S) in [-1, 1].
        weights: As for `pixel_loss`.
        scales: Number of scales, each half as large as the one before.
    """
    total = x.new_zeros(())
    error = x - y
    weights = x.new_ones(()) if weights is None else weights
    weights = weights.broadcast_to(len(x), 1, *x.shape[-2:])
    for scale in range(scales):
        if scale:
            error, weights = F.avg_pool2d(error, 2), F.avg_pool2d(weights, 2)
        total = total + (error.diff(dim=-1).abs() * weights[..., :, 1:]).mean()
        total = total + (error.diff(dim=-2).abs() * weights[..., 1:, :]).mean()
    return total


def texture_loss(x: Tensor, y: Tensor, window: int = 16) -> Tensor:
    """The mean absolute error of the amount of detail, which is the RMS gradient in a window.

    Pixel and edge errors require detail at the right position, so detail of uncertain position is smoothed
    away. This loss requires the same amount of detail as in the truth nearby, at any position. It is computed
    at half size, because a network could otherwise produce gradients by alternating single pixels.

    Args:
        x: (N, 3, S, S) in [-1, 1].
        y: (N, 3, S, S) in [-1, 1].
        window: Side of the window [px].
    """
    return (_contrast(x, window) - _contrast(y, window)).abs().mean()


def _contrast(faces: Tensor, window: int) -> Tensor:
    faces = F.avg_pool2d(faces, 2)
    across, down = faces.diff(dim=-1)[..., 1:, :], faces.diff(dim=-2)[..., :, 1:]
    energy = (across.square() + down.square()).mean(dim=1, keepdim=True)
    # The derivative of the square root is infinite at 0, in a flat window.
    return (F.avg_pool2d(energy, window // 2, window // 4) + 1e-6).sqrt()


def feature_weights(size: int, strength: float, spread: float = 0.06) -> Tensor:
    """Weights (size, size) with mean 1, which are larger near eyes, nose and mouth of the aligned face.

    These are a tenth of the picture, but decide who it is. Equal weights would favour hair and background
    (compare the facial component losses of GFPGAN, Wang et al. 2021).

    Args:
        size: Side of the face [px].
        strength: Additional weight at a landmark, before normalisation.
        spread: Standard deviation of the Gaussian around a landmark, as a fraction of the side.
    """
    points = torch.from_numpy(template(size)).float()  # (5, 2) x, y
    grid = torch.arange(size, dtype=torch.float32)
    squared = (grid[None, None, :] - points[:, 0, None, None]) ** 2
    squared = squared + (grid[None, :, None] - points[:, 1, None, None]) ** 2
    near = torch.exp(-squared / (2 * (spread * size) ** 2)).amax(dim=0)
    weights = 1 + strength * near
    return weights / weights.mean()


class AssociationLoss(nn.Module):
    """Contrastive loss between the encoders' patch features of the same faces (docs/daefr.md, "Stage 2")."""

    def __init__(self, *, trained_scale: bool = True) -> None:
        """`trained_scale`: whether the factor on the logits is trained; otherwise it is 1/0.07."""
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log(), requires_grad=trained_scale)

    def forward(self, hq: Tensor, lq: Tensor) -> Tensor:
        """The loss of features `hq` and `lq`, both (N, C, L, L), with equal positions as pairs."""
        h = F.normalize(to_tokens(hq).flatten(0, 1).float(), dim=-1)  # (N T, C)
        low = F.normalize(to_tokens(lq).flatten(0, 1).float(), dim=-1)
        logits = self.logit_scale.exp() * h @ low.t()
        target = torch.arange(logits.shape[0], device=logits.device)
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target))
