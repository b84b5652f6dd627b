"""The blocks of encoders and decoders (docs/daefr.md, "Residual block", "Attention block").

Letters in shapes: N faces, C channels, H W grid, T = H·W positions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-6


def group_norm(channels: int, groups: int) -> nn.GroupNorm:
    """GroupNorm with the network's epsilon."""
    return nn.GroupNorm(groups, channels, eps=NORM_EPS)


def swish(fresh: Tensor) -> Tensor:
    """x · sigmoid(x), in place if no gradients are computed; the caller must not use `fresh` afterwards.

    At the finest level, allocating a new tensor takes longer than the arithmetic.
    """
    return F.silu(fresh, inplace=not torch.is_grad_enabled())


def plus(fresh: Tensor, other: Tensor) -> Tensor:
    """fresh + other, in place if no gradients are computed; the caller must not use `fresh` afterwards."""
    return other + fresh if torch.is_grad_enabled() else fresh.add_(other)


class ResidualBlock(nn.Module):
    """(N, C_in, H, W) -> (N, C_out, H, W): norm, swish, conv, norm, swish, conv, plus the shortcut."""

    def __init__(self, channels_in: int, channels_out: int, groups: int) -> None:
        super().__init__()
        self.norm1 = group_norm(channels_in, groups)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm2 = group_norm(channels_out, groups)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.nin_shortcut = (
            nn.Conv2d(channels_in, channels_out, 1) if channels_in != channels_out else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(swish(self.norm1(x)))
        h = self.conv2(swish(self.norm2(h)))
        return plus(h, self.nin_shortcut(x))


class AttentionBlock(nn.Module):
    """Attention over all positions with a residual, (N, C, H, W) to (N, C, H, W).

    With `cross=True` it fuses two features: key and value come from `norm1(x)`, the query from `norm2(y)`.
    The authors' self-attention blocks also have a `norm2` that is not used; these do not.
    """

    def __init__(self, channels: int, groups: int, *, heads: int = 1, cross: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = group_norm(channels, groups)
        self.norm2 = group_norm(channels, groups) if cross else None
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        normed = self.norm1(x)
        if self.norm2 is not None:
            assert y is not None, "cross attention needs the second feature"
            query = self.q(self.norm2(y))
        else:
            query = self.q(normed)
        n, _, height, width = x.shape
        attended = F.scaled_dot_product_attention(
            self._heads(query), self._heads(self.k(normed)), self._heads(self.v(normed))
        )  # (N, heads, T, C / heads)
        attended = attended.transpose(2, 3).reshape(n, -1, height, width)  # (N, C, H, W)
        return x + self.proj_out(attended)

    def _heads(self, x: Tensor) -> Tensor:
        n, channels, height, width = x.shape
        # (N, heads, T, C / heads)
        return x.reshape(n, self.heads, channels // self.heads, height * width).transpose(2, 3)


class Downsample(nn.Module):
    """(N, C, H, W) -> (N, C, H/2, W/2): stride-2 convolution on an input padded at the bottom and right."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class DoubledConv2d(nn.Conv2d):
    """(N, C, H, W) -> (N, K, 2H, 2W): nearest upsampling, then a 3 x 3 convolution."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Upsample(nn.Module):
    """(N, C, H, W) -> (N, C, 2H, 2W): nearest, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = DoubledConv2d(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Middle(nn.Module):
    """Residual block, self-attention, residual block at the latent grid."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels, groups)
        self.attn_1 = AttentionBlock(channels, groups)
        self.block_2 = ResidualBlock(channels, channels, groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Level(nn.Module):
    """The residual blocks of one resolution, each followed by attention if the level has it."""

    def __init__(
        self, channels_in: int, channels_out: int, *, blocks: int, groups: int, attention: bool
    ) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            ResidualBlock(channels_in if i == 0 else channels_out, channels_out, groups)
            for i in range(blocks)
        )
        self.attn = nn.ModuleList(
            AttentionBlock(channels_out, groups) for _ in range(blocks if attention else 0)
        )
        self.downsample: Downsample | None = None
        self.upsample: Upsample | None = None

    def forward(self, x: Tensor) -> Tensor:
        return self.resample(self.refine(x))

    def refine(self, x: Tensor) -> Tensor:
        """The features after the blocks, at this level's resolution."""
        for i, block in enumerate(self.block):
            x = block(x)
            if self.attn:
                x = self.attn[i](x)
        return x

    def resample(self, x: Tensor) -> Tensor:
        """The features at the next level's resolution; unchanged in the last level."""
        if self.downsample is not None:
            x = self.downsample(x)
        if self.upsample is not None:
            x = self.upsample(x)
        return x


def to_tokens(features: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, T, C), positions in row order."""
    return features.flatten(2).transpose(1, 2)


def to_grid(tokens: Tensor, size: int) -> Tensor:
    """(N, T, C) -> (N, C, size, size), the inverse of `to_tokens`."""
    assert tokens.shape[1] == size * size, f"{tokens.shape[1]} tokens are not a {size} x {size} grid"
    grid = tokens.transpose(1, 2).unflatten(2, (size, size))
    return grid.contiguous(memory_format=torch.channels_last)
