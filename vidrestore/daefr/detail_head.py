"""The head that draws a face from the codes and from the input. It is not in the paper.

Codes cannot represent the detail of a single face. The head takes the features of the decoder at a quarter of
the picture's side, in place of the decoder's finer levels, and the input itself. Without the head the network
is plain DAEFR.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from vidrestore.daefr.blocks import DoubledConv2d, plus, swish
from vidrestore.daefr.config import DETAIL_STRIDE
from vidrestore.runtime.pixel_blocks import shuffle, unshuffle

_LAST_STRIDE = DETAIL_STRIDE // 2
"""The picture's side over that of the last grid."""


class DetailHead(nn.Module):
    """A small U-Net on blocks of 4 x 4 pixels at three scales, whose last layer works on blocks of 2 x 2.

    It draws detail of the input, or plausible detail where the input has none. There is no normalisation, so
    that brightness is kept.
    """

    def __init__(self, decoded: int, width: int) -> None:
        """`decoded`: channels of the decoder's features. `width`: channels of the finest scale, even."""
        super().__init__()
        widths = (width, width * 3 // 2, width * 3 // 2)
        self.enter = nn.Conv2d(decoded + 3 * DETAIL_STRIDE**2, width, 3, padding=1)
        # The coarsest scale has two: they cover a whole eye or mouth and take hardly any time.
        self.before = nn.ModuleList([*map(_Refine, widths[:-1]), _refine_twice(widths[-1])])
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(DoubledConv2d(b, a) for a, b in pairwise(widths))
        self.after = nn.ModuleList([_refine_twice(width), *map(_Refine, widths[1:-1])])
        self.finest = DoubledConv2d(width, width // 2)
        self.leave = nn.Conv2d(width // 2, 3 * _LAST_STRIDE**2, 3, padding=1)

    def forward(self, decoded: Tensor, faces: Tensor) -> Tensor:
        """(N, C, S / 4, S / 4), (N, 3, S, S) in [-1, 1] -> (N, 3, S, S), not clipped."""
        x = self.enter(torch.cat([decoded, unshuffle(faces, DETAIL_STRIDE)], dim=1))
        levels = []
        for before, down in zip(self.before, self.down, strict=False):
            levels.append(before(x))
            x = down(levels[-1])
        x = self.before[-1](x)
        for level, up, after in zip(reversed(levels), reversed(self.up), reversed(self.after), strict=True):
            x = after(plus(up(x), level))
        return shuffle(self.leave(swish(self.finest(x))), _LAST_STRIDE)


class _Refine(nn.Module):
    """Two convolutions with a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return plus(self.second(swish(self.first(x))), x)


def _refine_twice(channels: int) -> nn.Sequential:
    return nn.Sequential(_Refine(channels), _Refine(channels))
