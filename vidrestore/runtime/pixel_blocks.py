"""Pixels to channels and back, in channels-last order on every device.

PyTorch's own pixel-shuffle and pixel-unshuffle keep that order on a CPU, but not on a GPU, where every
convolution after them would have to reorder the whole picture.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def unshuffle(pictures: Tensor, side: int) -> Tensor:
    """(N, C · side², H / side, W / side) the blocks of `side` pixels of (N, C, H, W): `F.pixel_unshuffle`."""
    if pictures.device.type == "cpu":
        return F.pixel_unshuffle(pictures, side)
    n, channels, height, width = pictures.shape
    blocks = pictures.permute(0, 2, 3, 1).unflatten(2, (width // side, side)).unflatten(1, (-1, side))
    # (N, H / side, side, W / side, side, C), then the channels of a block last
    blocks = blocks.permute(0, 1, 3, 5, 2, 4).reshape(n, height // side, width // side, channels * side**2)
    return blocks.permute(0, 3, 1, 2)


def shuffle(blocks: Tensor, side: int) -> Tensor:
    """(N, C, H, W) of blocks (N, C · side², H / side, W / side): `F.pixel_shuffle`."""
    if blocks.device.type == "cpu":
        return F.pixel_shuffle(blocks, side)
    n, channels, height, width = blocks.shape
    parts = blocks.permute(0, 2, 3, 1).unflatten(3, (channels // side**2, side, side))
    # (N, H / side, W / side, C, side, side), then each pixel in its place
    picture = parts.permute(0, 1, 4, 2, 5, 3).reshape(n, height * side, width * side, channels // side**2)
    return picture.permute(0, 3, 1, 2)
