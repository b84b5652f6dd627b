"""3 x 3 convolutions in float32 on a CPU, with a quarter of the multiplications.

Winograd's F(4 x 4, 3 x 3) as in Lavin and Gray 2016, "Fast algorithms for convolutional neural networks":
tiles of 6 x 6 inputs are transformed, multiplied position by position (36 small matrix products over the
channels) and transformed back into 4 x 4 outputs. oneDNN has no such convolution. With tensor operations on
strips that fit into the cache it takes 0.45 (256 channels) to 0.7 (64) of oneDNN's time, with a relative
error of about 2e-6.

Letters in shapes: N faces, C and K channels in and out, H W grid; F faces and R rows of tiles together, T
tiles per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import TypeGuard

import torch
from torch import Tensor, nn

TILE = 4
"""Outputs per side of a tile."""
TILES_AT_A_TIME = 192
"""Rows of a matrix product: enough for full speed, few enough for the cache."""
LEAST_CHANNELS, LEAST_WITH_AVX512 = 128, 64
"""Smallest number of input and output channels. With fewer, the transforms take longer than the saved
products. The limit depends on the width of the CPU's vectors."""
_SIDE = TILE + 2
FILTER_OF_FOUR = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
"""G of the paper, for the points 0, 1, -1, 2, -2 and infinity."""


class WinogradConv2d(nn.Module):
    """(N, C, H, W) float32 -> (N, K, H, W), channels last; H and W divide by four. For inference."""

    def __init__(self, conv: nn.Conv2d) -> None:
        """A copy of `conv`, which must be supported (`is_supported`)."""
        super().__init__()
        assert is_supported(conv), f"{conv} is not a 3 x 3 convolution of stride 1 with zero padding"
        g = torch.tensor(FILTER_OF_FOUR, dtype=torch.float64)
        # j before i: rows are transformed first, columns last.
        filters = torch.einsum("ia,kcab,jb->jick", g, conv.weight.detach().double().cpu(), g)
        self.register_buffer("filters", filters.flatten(0, 1).float().contiguous(), persistent=False)
        bias = conv.bias if conv.bias is not None else conv.weight.new_zeros(conv.out_channels)
        self.register_buffer("bias", bias.detach().float().clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        filters, bias = self.filters, self.bias
        assert isinstance(filters, Tensor)
        assert isinstance(bias, Tensor)
        rows = x.permute(0, 2, 3, 1).contiguous()  # (N, H, W, C)
        n, height, width, _ = rows.shape
        out = rows.new_empty(n, height, width, filters.shape[2])
        _convolve(rows, filters, bias, out)
        return out.permute(0, 3, 1, 2)


def is_supported(conv: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether `WinogradConv2d` can replace `conv`."""
    return (
        type(conv) is nn.Conv2d
        and conv.kernel_size == (3, 3)
        and conv.stride == conv.dilation == conv.padding == (1, 1)
        and conv.groups == 1
        and conv.padding_mode == "zeros"
    )


def is_faster(conv: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether `WinogradConv2d` is faster than `conv` on this CPU."""
    wide = torch.backends.cpu.get_cpu_capability() == "AVX512"
    least = LEAST_WITH_AVX512 if wide else LEAST_CHANNELS
    return is_supported(conv) and min(conv.in_channels, conv.out_channels) >= least


def _convolve(x: Tensor, filters: Tensor, bias: Tensor, out: Tensor) -> None:
    """x (N, H, W, C) -> out (N, H, W, K), in strips of tiles, or with several small faces together."""
    faces, height, width, channels = x.shape
    count = filters.shape[2]
    assert height % TILE == width % TILE == 0, f"{height} x {width} does not divide by {TILE}"
    tiles, across = height // TILE, width // TILE
    most = min(max(TILES_AT_A_TIME // across, 1), tiles)
    together = min(max(TILES_AT_A_TIME // (tiles * across), 1), faces)
    # R rows of tiles with zero padding; every strip uses the same memory.
    strips = x.new_zeros(together, TILE * most + 2, width + 2, channels)
    by_row = x.new_empty(_SIDE, together, most, width + 2, channels)
    scratch_rows = x.new_empty(2, together, most, width + 2, channels)
    by_tile = x.new_empty(_SIDE, _SIDE * together * most * across * channels)
    scratch_tiles = x.new_empty(2, _SIDE * together * most * across * channels)
    products = x.new_empty(_SIDE * _SIDE * together * most * across * count)
    sums = x.new_empty(TILE, _SIDE * together * most * across * count)
    # (4, 4, N, H/4, T, K)
    targets = out.view(faces, tiles, TILE, across, TILE, count).permute(2, 4, 0, 1, 3, 5)
    for begin, first in product(range(0, faces, together), range(0, tiles, most)):
        some, rows = min(together, faces - begin), min(most, tiles - first)  # F, R
        strip = strips[:some]
        _fill(strip, x[begin : begin + some], TILE * first - 1, TILE * rows + 2)
        half = by_row[:, :some, :rows]  # (6, F, R, W + 2, C)
        lines = [strip[:, i : i + TILE * (rows - 1) + 1 : TILE] for i in range(_SIDE)]
        _transform(lines, half, scratch_rows[:, :some, :rows])
        shape = (_SIDE, some, rows, across, channels)
        size = prod(shape)
        columns = [half[:, :, :, j : j + width - TILE + 1 : TILE] for j in range(_SIDE)]
        flat = by_tile.view(-1)[: _SIDE * size]
        scratch = scratch_tiles.view(-1)[: 2 * size]
        _transform(columns, flat.view(_SIDE, *shape), scratch.view(2, *shape))
        places = some * rows * across
        found = products[: _SIDE**2 * places * count].view(_SIDE**2, places, count)
        torch.bmm(flat.view(_SIDE**2, places, channels), filters, out=found)
        # Every output contains the product at the point (1, 1) once, so the bias is added there.
        found[_SIDE + 1] += bias
        halves = sums.view(-1)[: TILE * found.numel() // _SIDE].view(TILE, *shape[:-1], count)
        _transform_back(found.view(_SIDE, *shape[:-1], count), halves)
        _transform_back(halves.transpose(0, 1), targets[:, :, begin : begin + some, first : first + rows])


def _fill(strip: Tensor, x: Tensor, top: int, count: int) -> None:
    """Copies `count` lines of each x, starting at `top`, into the strips; zeros outside of x."""
    start, stop = max(top, 0), min(top + count, x.shape[1])
    strip[:, : start - top].zero_()
    strip[:, stop - top : count].zero_()
    strip[:, start - top : stop - top, 1:-1].copy_(x[:, start:stop])


def _transform(d: Sequence[Tensor], out: Tensor, scratch: Tensor) -> None:
    """Bᵀ d: six lines of inputs to six points."""
    a, b = scratch
    torch.sub(d[4], d[2], alpha=4, out=a)
    torch.sub(d[3], d[1], alpha=4, out=b)
    torch.add(a, b, out=out[1])
    torch.sub(a, b, out=out[2])
    torch.sub(d[4], d[2], out=a)
    torch.sub(d[3], d[1], out=b)
    torch.add(a, b, alpha=2, out=out[3])
    torch.sub(a, b, alpha=2, out=out[4])
    torch.sub(d[0], d[2], out=out[0])
    torch.add(a, out[0], alpha=4, out=out[0])
    torch.sub(d[5], d[3], out=out[5])
    torch.sub(out[5], b, alpha=4, out=out[5])


def _transform_back(m: Tensor, out: Tensor) -> None:
    """Aᵀ m: six points to four lines of outputs; `m` is overwritten."""
    even, odd = m[1] + m[2], m[1].sub_(m[2])
    even_2, odd_2 = m[3] + m[4], m[3].sub_(m[4])
    torch.add(m[0].add_(even), even_2, out=out[0])
    torch.add(odd, odd_2, alpha=2, out=out[1])
    torch.add(even, even_2, alpha=4, out=out[2])
    torch.add(m[5].add_(odd), odd_2, alpha=8, out=out[3])
