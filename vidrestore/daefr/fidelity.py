"""Controllable skips from the degraded face into the decoder: what the codes cannot say, the picture can.

The controllable feature transformation of CodeFormer (Zhou et al. 2022, section 3.3): the decoder's features
F_d become F_d + w (α ⊙ F_d + β), where α and β are computed from F_d and the encoder's features of the same
resolution. At w = 0 the network is plain DAEFR. A
last skip, this project's own, does the same to the finished picture: a face that needs little keeps its own
pixels, which no decoder of a 16th of the resolution could draw again.
"""

from __future__ import annotations

from itertools import pairwise

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

    def forward(self, decoded: Tensor, encoded: Tensor, weight: float | Tensor) -> Tensor:
        """decoded (N, C, H, W), encoded (N, E, H, W), weight 0..1 -> (N, C, H, W)."""
        merged = self.merge(torch.cat([self.enter(encoded), decoded], dim=1))
        return decoded + weight * (decoded * self.scale(merged) + self.shift(merged))


class PictureTransform(nn.Module):
    """The skip at the picture itself: a small U-Net that sees the restored and the degraded face.

    It works on blocks of 2 x 2 pixels at four sizes. Where the degraded face is good it passes its pixels
    on, and it takes grain and blocks out of what it passes; where it holds little, the restored face says
    what belongs there. No normalisation: brightness is to stay. Beside the picture it says where the
    degraded face is good enough to stay as it is: no network draws a pixel again as well as leaving it.
    """

    STRIDE = 2
    WIDER = (1, 2, 3, 3)
    """Channels of each size over those of the finest, which comes first."""
    FRESH_TRUST = -4.0
    """Before the sigmoid: hardly any."""

    def __init__(self, width: int) -> None:
        """`width`: channels of the finest size."""
        super().__init__()
        block = 3 * self.STRIDE**2
        widths = tuple(width * factor for factor in self.WIDER)
        self.enter = nn.Conv2d(2 * block, width, 3, padding=1)
        # The coarsest has two: there it sees a whole eye or mouth at next to no cost.
        self.before = nn.ModuleList(
            [*map(_Refine, widths[:-1]), nn.Sequential(_Refine(widths[-1]), _Refine(widths[-1]))]
        )
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in pairwise(widths))
        self.after = nn.ModuleList(map(_Refine, widths[:-1]))
        self.leave = _silent(nn.Conv2d(width, block, 3, padding=1))
        self.mend = nn.Sequential(
            nn.Conv2d(width + block, width, 3, padding=1),
            *(_Refine(width) for _ in range(3)),
            _silent(nn.Conv2d(width, block, 3, padding=1)),
        )
        last = nn.Conv2d(16, self.STRIDE**2, 3, padding=1)
        self.trust = nn.Sequential(nn.Conv2d(width, 16, 3, padding=1), nn.SiLU(), last)
        verdict = nn.Linear(32, 1)
        self.verdict = nn.Sequential(nn.Linear(2 * widths[-1], 32), nn.SiLU(), verdict)
        nn.init.zeros_(verdict.weight)
        nn.init.zeros_(verdict.bias)
        nn.init.zeros_(last.weight)
        assert last.bias is not None
        nn.init.constant_(last.bias, self.FRESH_TRUST)

    def forward(self, restored: Tensor, degraded: Tensor, weight: float | Tensor) -> Tensor:
        """Pictures (N, 3, S, S) in [-1, 1], weight 0..1 -> (N, 3, S, S); a fresh one hardly changes them."""
        drawn, mended, trust = self.parts(restored, degraded)
        return restored + weight * (drawn + trust * (mended - drawn) - restored)

    def parts(self, restored: Tensor, degraded: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The restored face with detail, the degraded one mended, and (N, 1, S, S) 0..1 how much of that."""
        seen = F.pixel_unshuffle(degraded, self.STRIDE)
        x = self.enter(F.pixel_unshuffle(torch.cat([restored, degraded], dim=1), self.STRIDE))
        levels = []
        for before, down in zip(self.before, self.down, strict=False):
            levels.append(before(x))
            x = down(levels[-1])
        x = self.before[-1](x)
        # How badly a face was treated shows in all of it at once, less so at any one place.
        verdict = self.verdict(torch.cat([x.mean((2, 3)), x.abs().mean((2, 3))], dim=1))
        for level, up, after in zip(reversed(levels), reversed(self.up), reversed(self.after), strict=True):
            x = after(level + up(F.interpolate(x, scale_factor=2.0)))
        drawn = restored + F.pixel_shuffle(self.leave(x), self.STRIDE)
        mended = degraded + F.pixel_shuffle(self.mend(torch.cat([x, seen], dim=1)), self.STRIDE)
        trust = F.pixel_shuffle(self.trust(x), self.STRIDE) + verdict[:, :, None, None]
        return drawn, mended, trust.sigmoid()


class _Refine(nn.Module):
    """Two convolutions beside what they are given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(x)))


def _two_convolutions(channels: int) -> nn.Sequential:
    last = _silent(nn.Conv2d(channels, channels, 3, padding=1))
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2), last)


def _silent(last: nn.Conv2d) -> nn.Conv2d:
    """The layer made to give nothing before it is trained."""
    nn.init.zeros_(last.weight)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    return last
