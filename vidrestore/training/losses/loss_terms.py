"""Losses of reconstruction and association."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.daefr.blocks import to_tokens
from vidrestore.errors import UsageError
from vidrestore.faces.alignment import template

PerceptualLoss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""(restored, truth, weights of positions or None) -> scalar."""


def make_perceptual(name: str) -> PerceptualLoss:
    """The loss that stands beside the pixel error, as the configuration names it; never swapped silently."""
    if name == "none":
        return lambda x, _, __: x.new_zeros(())
    if name == "edges":
        return edge_loss
    try:
        import lpips
    except ImportError as error:
        raise UsageError("perceptual: lpips needs the package lpips: pip install lpips") from error
    network = lpips.LPIPS(net="vgg").eval().requires_grad_(False)
    # No stage's module, as its weights are in no checkpoint; it follows the faces to their device.
    return lambda x, y, _: network.to(x.device)(x, y).mean()


def pixel_loss(x: Tensor, y: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean absolute error of (N, 3, S, S); `weights` of mean 1, broadcast to it, say where it counts more."""
    error = (x - y).abs()
    return (error if weights is None else error * weights).mean()


def edge_loss(x: Tensor, y: Tensor, weights: Tensor | None = None, scales: int = 4) -> Tensor:
    """Mean absolute error of horizontal and vertical differences, over `scales` halvings.

    Faces (N, 3, S, S) in [-1, 1]. It stands in for LPIPS where no backbone can be had: it asks for edges of
    the right strength in the right place, at every size, which the pixel error alone trades for blur.
    `weights` as in `pixel_loss`.
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
    """Mean absolute error of how much detail there is: the RMS gradient over windows of `window` pixels.

    Faces (N, 3, S, S) in [-1, 1], seen at half their size: what alternates from pixel to pixel is no texture,
    but the cheapest way there is to have gradients. Pixel and edge errors ask for detail in its place; what
    cannot be placed, they smooth away. This asks for as much of it as the truth has thereabouts, wherever it
    lies.
    """
    return (_contrast(x, window) - _contrast(y, window)).abs().mean()


def _contrast(faces: Tensor, window: int) -> Tensor:
    faces = F.avg_pool2d(faces, 2)
    across, down = faces.diff(dim=-1)[..., 1:, :], faces.diff(dim=-2)[..., :, 1:]
    energy = (across.square() + down.square()).mean(dim=1, keepdim=True)
    # The root's slope is infinite at 0, where a flat window lies.
    return (F.avg_pool2d(energy, window // 2, window // 4) + 1e-6).sqrt()


def feature_weights(size: int, strength: float, spread: float = 0.06) -> Tensor:
    """(size, size), mean 1: more weight around the eyes, nose and mouth of the aligned face.

    They are a tenth of the picture and all of the person; an even mean spends the network on hair and
    backdrop (compare the facial component losses of GFPGAN, Wang et al. 2021). `strength` is the weight
    beyond 1 at a landmark before normalisation, `spread` the standard deviation as a fraction of the side.
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
        """`trained_scale`: whether the factor on the logits is learned, or stays 1/0.07."""
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log(), requires_grad=trained_scale)

    def forward(self, hq: Tensor, lq: Tensor) -> Tensor:
        """hq, lq: (N, C, L, L); patch i of one belongs to patch i of the other and to no other patch."""
        h = F.normalize(to_tokens(hq).flatten(0, 1).float(), dim=-1)  # (N T, C)
        low = F.normalize(to_tokens(lq).flatten(0, 1).float(), dim=-1)
        logits = self.logit_scale.exp() * h @ low.t()
        target = torch.arange(logits.shape[0], device=logits.device)
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target))
