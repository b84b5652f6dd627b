"""The head that draws a face from the codes and from the input. It is not in the paper.

Codes cannot represent the detail of a single face. The head takes the features of the decoder at a quarter of
the picture's side, in place of the decoder's finer levels, and the input itself. Without the head the network
is plain DAEFR.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from vidrestore.daefr.blocks import DoubledConv2d, plus, swish
from vidrestore.runtime.pixel_blocks import shuffle, unshuffle

STRIDE = 2
"""The side of the blocks of pixels on which the finest scale works."""
BLOCK = 3 * STRIDE**2


class DetailHead(nn.Module):
    """A small U-Net at three scales, on blocks of 2 x 2 pixels, 4 x 4 and 8 x 8.

    It draws detail of the input, or plausible detail where the input has none. There is no normalisation, so
    that brightness is kept.
    """

    def __init__(self, decoded: int, width: int) -> None:
        """`decoded`: channels of the decoder's features. `width`: channels of the finest scale."""
        super().__init__()
        widths = fine, middle, _ = width, 2 * width, 3 * width
        self.enter = nn.Conv2d(BLOCK, fine, 3, padding=1)
        # Features and a first picture, from the decoder at the side of the middle scale.
        self.enlarge = DoubledConv2d(decoded, fine + BLOCK)
        self.beside = nn.Conv2d(decoded, middle, 1)
        self.before = nn.ModuleList(map(_Refine, widths))
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(DoubledConv2d(b, a) for a, b in pairwise(widths))
        self.after = nn.ModuleList(map(_Refine, (fine, middle)))
        self.leave = nn.Conv2d(fine, BLOCK, 3, padding=1)

    def forward(self, decoded: Tensor, faces: Tensor) -> Tensor:
        """(N, C, S / 4, S / 4), (N, 3, S, S) in [-1, 1] -> (N, 3, S, S), not clipped."""
        features, picture = self.enlarge(decoded).split((self.leave.in_channels, BLOCK), dim=1)
        fine = self.before[0](plus(self.enter(unshuffle(faces, STRIDE)), features))
        middle = self.before[1](plus(self.down[0](fine), self.beside(decoded)))
        coarse = self.before[2](self.down[1](middle))
        middle = self.after[1](plus(self.up[1](coarse), middle))
        fine = self.after[0](plus(self.up[0](middle), fine))
        return shuffle(plus(self.leave(fine), picture), STRIDE)


class _Refine(nn.Module):
    """Two convolutions with a residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return plus(self.second(swish(self.first(x))), x)
