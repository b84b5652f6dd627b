"""Skips that bring detail of the input into the decoder, which the codes cannot represent.

`FeatureSkip` is the controllable feature transformation of CodeFormer (Zhou et al. 2022, section 3.3): the
decoder's features F_d become F_d + w (α ⊙ F_d + β), where α and β are computed from F_d and the encoder's
features of the same resolution. `DetailSkip`, which is not in a paper, adds detail to the decoded picture
that a decoder with a 16th of the resolution cannot draw. At w = 0 the network is plain DAEFR.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from vidrestore.daefr.blocks import DoubledConv2d, ResidualBlock, plus, swish
from vidrestore.runtime.pixel_blocks import shuffle, unshuffle


class FeatureSkip(nn.Module):
    """The skip at a level of the decoder. Before training it changes nothing, with any weight."""

    def __init__(self, encoded: int, decoded: int, groups: int) -> None:
        """`encoded` and `decoded`: numbers of channels of the encoder's and the decoder's features."""
        super().__init__()
        self.enter = nn.Conv2d(encoded, decoded, 1)
        self.merge = ResidualBlock(2 * decoded, decoded, groups)
        self.scale = _two_convolutions(decoded)
        self.shift = _two_convolutions(decoded)

    def forward(self, decoded: Tensor, encoded: Tensor, weight: float) -> Tensor:
        """decoded (N, C, H, W), encoded (N, E, H, W), weight 0..1 -> (N, C, H, W)."""
        merged = self.merge(torch.cat([self.enter(encoded), decoded], dim=1))
        return decoded + weight * (decoded * self.scale(merged) + self.shift(merged))


class DetailSkip(nn.Module):
    """The skip after the decoder: a small U-Net with the drawn face and the input.

    It works on blocks of 2 x 2 pixels at four scales. It adds detail of the input, or plausible detail where
    the input has none. There is no normalisation, so that brightness is kept. Before training it changes
    nothing.
    """

    STRIDE = 2
    WIDER = (1, 2, 3, 3)
    """Channels of each scale, relative to the finest one, which comes first."""

    def __init__(self, width: int) -> None:
        """`width`: channels of the finest scale."""
        super().__init__()
        block = 3 * self.STRIDE**2
        widths = tuple(width * factor for factor in self.WIDER)
        self.enter = nn.Conv2d(2 * block, width, 3, padding=1)
        # The coarsest scale has two: they cover a whole eye or mouth and take hardly any time.
        self.before = nn.ModuleList(
            [*map(_Refine, widths[:-1]), nn.Sequential(_Refine(widths[-1]), _Refine(widths[-1]))]
        )
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(DoubledConv2d(b, a) for a, b in pairwise(widths))
        self.after = nn.ModuleList(map(_Refine, widths[:-1]))
        self.leave = _zero_initialised(nn.Conv2d(width, block, 3, padding=1))

    def forward(self, drawn: Tensor, given: Tensor, weight: float = 1.0) -> Tensor:
        """Pictures (N, 3, S, S) in [-1, 1], weight 0..1 -> (N, 3, S, S)."""
        drawn, given = (unshuffle(picture, self.STRIDE) for picture in (drawn, given))
        return shuffle(self.in_blocks(drawn, given, weight), self.STRIDE)

    def in_blocks(self, drawn: Tensor, given: Tensor, weight: float = 1.0) -> Tensor:
        """The same for pictures after pixel-unshuffle by 2, (N, 12, S / 2, S / 2) each."""
        detail = self.leave(self._features(drawn, given))
        return drawn + (detail if weight == 1 else weight * detail)

    def _features(self, drawn: Tensor, given: Tensor) -> Tensor:
        """(N, width, S / 2, S / 2)"""
        x = self.enter(torch.cat([drawn, given], dim=1))
        levels = []
        for before, down in zip(self.before, self.down, strict=False):
            levels.append(before(x))
            x = down(levels[-1])
        x = self.before[-1](x)
        for level, up, after in zip(reversed(levels), reversed(self.up), reversed(self.after), strict=True):
            x = after(plus(up(x), level))
        return x


class _Refine(nn.Module):
    """Two convolutions with a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return plus(self.second(swish(self.first(x))), x)


def _two_convolutions(channels: int) -> nn.Sequential:
    last = _zero_initialised(nn.Conv2d(channels, channels, 3, padding=1))
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2), last)


def _zero_initialised(last: nn.Conv2d) -> nn.Conv2d:
    """The layer with zero weights, so that its output is zero before training."""
    nn.init.zeros_(last.weight)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    return last
