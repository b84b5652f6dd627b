"""Controllable skips from the degraded face into the decoder: what the codes cannot say, the picture can.

The controllable feature transformation of CodeFormer (Zhou et al. 2022, section 3.3): the decoder's features
F_d become F_d + w (α ⊙ F_d + β), where α and β are computed from F_d and the encoder's features of the same
resolution. At w = 0 the network is plain DAEFR. A
last skip, this project's own, does the same to the finished picture: a face that needs little keeps its own
pixels, which no decoder of a 16th of the resolution could draw again.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.daefr.blocks import ResidualBlock


class FeatureTransform(nn.Module):
    """One level's skip; a fresh one changes nothing, whatever the weight."""

    def __init__(self, encoded: int, decoded: int, groups: int) -> None:
        """`encoded`, `decoded`: channels of the encoder's and of the decoder's features."""
        super().__init__()
        self.enter = nn.Conv2d(encoded, decoded, 1)
        self.merge = ResidualBlock(2 * decoded, decoded, groups)
        self.scale = _two_convolutions(decoded)
        self.shift = _two_convolutions(decoded)

    def forward(self, decoded: Tensor, encoded: Tensor, weight: float) -> Tensor:
        """decoded (N, C, H, W), encoded (N, E, H, W), weight 0..1 -> (N, C, H, W)."""
        merged = self.merge(torch.cat([self.enter(encoded), decoded], dim=1))
        return decoded + weight * (decoded * self.scale(merged) + self.shift(merged))


class PictureTransform(nn.Module):
    """The skip at the picture itself: how far the degraded face's own pixels are trusted, place by place.

    Trust is told on a coarse grid and interpolated: it can keep detail or let it go, and draw no pattern of
    its own.
    """

    STRIDE = 4
    """Pixels a side that share what is seen of them, and one trust."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(6 * self.STRIDE**2, width, 3, padding=1)
        self.merge = ResidualBlock(width, width, groups)
        self.trust = nn.Conv2d(width, 1, 3, padding=1)
        nn.init.zeros_(self.trust.weight)
        assert self.trust.bias is not None
        nn.init.zeros_(self.trust.bias)

    def forward(self, restored: Tensor, degraded: Tensor, weight: float) -> Tensor:
        """Pictures (N, 3, S, S) in [-1, 1] and a weight 0..1 -> (N, 3, S, S); a fresh one changes nothing."""
        seen = F.pixel_unshuffle(torch.cat([restored, degraded], dim=1), self.STRIDE)
        trust = self.trust(F.silu(self.merge(self.enter(seen))))
        trust = F.interpolate(trust, scale_factor=float(self.STRIDE), mode="bilinear")
        return restored + weight * trust * (degraded - restored)


def _two_convolutions(channels: int) -> nn.Sequential:
    last = nn.Conv2d(channels, channels, 3, padding=1)
    nn.init.zeros_(last.weight)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2), last)
