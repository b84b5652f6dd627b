"""Losses of reconstruction and association."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.daefr.blocks import to_tokens
from vidrestore.errors import UsageError


def make_perceptual(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss that stands beside the pixel error, as the configuration names it; never swapped silently."""
    if name == "none":
        return lambda x, _: x.new_zeros(())
    if name == "edges":
        return edge_loss
    try:
        import lpips
    except ImportError as error:
        raise UsageError("perceptual: lpips needs the package lpips: pip install lpips") from error
    network = lpips.LPIPS(net="vgg").eval().requires_grad_(False)
    return lambda x, y: network(x, y).mean()


def edge_loss(x: Tensor, y: Tensor, scales: int = 4) -> Tensor:
    """Mean absolute error of horizontal and vertical differences, over `scales` halvings.

    Faces (N, 3, S, S) in [-1, 1]. It stands in for LPIPS where no backbone can be had: it asks for edges of
    the right strength in the right place, at every size, which the pixel error alone trades for blur.
    """
    total = x.new_zeros(())
    for scale in range(scales):
        if scale:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        error = x - y
        total = total + error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return total


class Association(nn.Module):
    """Contrastive loss between the encoders' patch features of the same faces (specification, "Stage 2")."""

    def __init__(self) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def forward(self, hq: Tensor, lq: Tensor) -> Tensor:
        """hq, lq: (N, C, L, L); patch i of one belongs to patch i of the other and to no other patch."""
        h = F.normalize(to_tokens(hq).flatten(0, 1).float(), dim=-1)  # (N T, C)
        low = F.normalize(to_tokens(lq).flatten(0, 1).float(), dim=-1)
        logits = self.logit_scale.exp() * h @ low.t()
        target = torch.arange(logits.shape[0], device=logits.device)
        return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target))
