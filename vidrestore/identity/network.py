"""The recognition network: dlib's ResNet of 29 convolutions (Davis King, 2017), inference only.

Its batch normalisations are folded into the convolutions. dlib does not pad where it halves the resolution.
Where a block has more channels than its input, the input is padded with zeros.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHIP_SIDE = 150
"""Side of the network's input [px]."""
DESCRIPTOR = 128
"""Length of a descriptor."""
STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Channels, number of blocks, and whether the first one halves the resolution."""
_MEAN = (122.782, 117.001, 104.298)
"""Mean of each colour over the training faces, in 8-bit codes."""


class RecognitionNetwork(nn.Module):
    """Chips (N, 3, 150, 150) RGB in 0..1 -> descriptors (N, 128)."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, STAGES[0][0], 7, stride=2)
        blocks, before = [], STAGES[0][0]
        for width, count, halves in STAGES:
            for number in range(count):
                blocks.append(ResidualBlock(before, width, halves=halves and number == 0))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.descriptor = nn.Linear(before, DESCRIPTOR, bias=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1) / 255, persistent=False)

    def forward(self, chips: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.stem(chips - self.mean)), 3, 2)
        x = self.blocks(x)  # (N, 256, 3, 3)
        return torch.as_tensor(self.descriptor(x.mean((2, 3))))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, added to their input or to its half-size copy."""

    def __init__(self, before: int, width: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = nn.Conv2d(before, width, 3, stride=2 if halves else 1, padding=0 if halves else 1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(x)))
        if self.halves:
            x = F.avg_pool2d(x, 2, 2)
            # With an odd size, convolution and pooling may differ by one row.
            y = F.pad(y, (0, x.shape[3] - y.shape[3], 0, x.shape[2] - y.shape[2]))
            x = F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return F.relu(x + y)
