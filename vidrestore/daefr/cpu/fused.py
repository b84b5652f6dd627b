"""Residual blocks on a CPU: normalised, activated, convolved and added a few tiles at a time.

The tensors of a residual block do not fit into a CPU's cache: each of its seven operations reads them from
memory and writes them back. Here a few tiles stay in the cache during all seven, and Winograd's convolutions
need fewer multiplications: a quarter with F(4 x 4, 3 x 3) in float32, and 4 of 9 with F(2 x 2, 3 x 3) in
bfloat16. The latter hardly reduces accuracy: its transforms add and subtract in float32 and round once, like
the inputs of a plain convolution.

Letters in shapes: N faces, C and K channels in and out, H W grid; P points of a transformed tile; R rows of T
tiles at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vidrestore.daefr.blocks import ResidualBlock
from vidrestore.daefr.cpu import kernels, kernels32
from vidrestore.daefr.cpu.winograd import FILTER_OF_FOUR
from vidrestore.runtime.worker_threads import ParallelFor
from vidrestore.types import FloatArray

TILES_AT_A_TIME = 256
"""Rows of a matrix product: enough for full speed, few enough for the level-2 cache."""
BYTES_A_ROW = 2**13
"""Bytes of float32 pixels for a row of tiles of a block; they stay in the level-1 cache."""

Pixels = NDArray[Any]
"""An array of float32, or of bfloat16 as uint16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a convolution is computed in a number format."""

    precision: torch.dtype
    tile: int
    """Outputs per side of a tile."""
    filter: tuple[tuple[float, ...], ...]
    """G of Lavin and Gray 2016, with a row for each point per side of a tile."""
    lines_back: int
    """Rows of scratch memory of `tiles_out`."""
    channel_sums: Callable[..., None]
    tiles_in: Callable[..., None]
    tiles_out: Callable[..., None]

    @property
    def points(self) -> int:
        return len(self.filter) ** 2


FORMS = {
    form.precision: form
    for form in (
        Form(
            precision=torch.bfloat16,
            tile=2,
            filter=((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)),
            lines_back=6,
            channel_sums=kernels.channel_sums,
            tiles_in=kernels.tiles_in,
            tiles_out=kernels.tiles_out,
        ),
        Form(
            precision=torch.float32,
            tile=4,
            filter=FILTER_OF_FOUR,
            lines_back=14,
            channel_sums=kernels32.channel_sums,
            tiles_in=kernels32.tiles_in,
            tiles_out=kernels32.tiles_out,
        ),
    )
}


class FusedResidualBlock(nn.Module):
    """(N, C, H, W) float32 or bfloat16 -> (N, K, H, W), channels last. For inference.

    H and W divide by four in float32, by two in bfloat16.
    """

    def __init__(self, block: ResidualBlock, parallel_for: ParallelFor) -> None:
        """A copy of `block` in its number format, which is computed by the threads of `parallel_for`."""
        super().__init__()
        self._parallel_for = parallel_for
        self._form = FORMS[block.conv1.weight.dtype]
        self._first = _Step.of(block.norm1, block.conv1, self._form)
        self._second = _Step.of(block.norm2, block.conv2, self._form)
        self.nin_shortcut = block.nin_shortcut

    def forward(self, x: Tensor) -> Tensor:
        form, parallel_for = self._form, self._parallel_for
        assert x.dtype == form.precision, f"{x.dtype} is not {form.precision}"
        height, width = x.shape[2:]
        assert height % form.tile == width % form.tile == 0, f"{height} x {width}: not of {form.tile}"
        x = x.contiguous(memory_format=torch.channels_last)
        pixels = _pixels(x)
        hidden, sums = _convolve(
            form, pixels, self._first, _sums(form, pixels, parallel_for), None, parallel_for
        )
        residual = _pixels(self.nin_shortcut(x).contiguous(memory_format=torch.channels_last))
        out, _ = _convolve(form, _pixels(hidden), self._second, sums, residual, parallel_for)
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A normalisation and the convolution after it."""

    norm_weight: FloatArray
    norm_bias: FloatArray
    groups: int
    eps: float
    filters: Tensor
    """(P, C, K)"""
    bias: FloatArray

    @classmethod
    def of(cls, norm: nn.GroupNorm, conv: nn.Conv2d, form: Form) -> _Step:
        assert conv.bias is not None
        g = torch.tensor(form.filter, dtype=torch.float64)
        filters = torch.einsum("ia,kcab,jb->ijck", g, conv.weight.detach().double().cpu(), g)
        return cls(
            norm_weight=_floats(norm.weight),
            norm_bias=_floats(norm.bias),
            groups=norm.num_groups,
            eps=norm.eps,
            filters=filters.flatten(0, 1).to(form.precision).contiguous(),
            bias=_floats(conv.bias),
        )

    def scale_and_shift(self, sums: FloatArray, pixels: int) -> tuple[FloatArray, FloatArray]:
        """Scale and shift of the normalisation, (N, C) each, from sums (N, 2, C)."""
        faces, _, channels = sums.shape
        of_group = sums.astype(np.float64).reshape(faces, 2, self.groups, -1).sum(3)
        mean, square = (of_group / (pixels * channels // self.groups)).transpose(1, 0, 2)  # (N, groups)
        over_deviation = 1 / np.sqrt(np.maximum(square - mean**2, 0) + self.eps)
        mean, over_deviation = (np.repeat(v, channels // self.groups, 1) for v in (mean, over_deviation))
        scale = self.norm_weight * over_deviation
        return scale.astype(np.float32), (self.norm_bias - mean * scale).astype(np.float32)


def _sums(form: Form, faces: Pixels, parallel_for: ParallelFor) -> FloatArray:
    """(N, 2, C): sum and sum of squares of each channel of faces (N, H, W, C)."""
    count, height, _, channels = faces.shape
    bands = max(height // 8, 1)
    parts = np.zeros((count, bands, 2, channels), np.float32)

    def add(places: Iterator[tuple[int, int]]) -> None:
        for face, band in places:
            first, stop = (height * edge // bands for edge in (band, band + 1))
            form.channel_sums(faces[face, first:stop], parts[face, band])

    parallel_for.run([(face, band) for face in range(count) for band in range(bands)], add)
    return _total(parts)


def _total(parts: FloatArray) -> FloatArray:
    """(N, 2, K) sums of (N, strips, 2, K), in an order that does not depend on the speed of threads."""
    return np.asarray(parts.sum(1, dtype=np.float64), np.float32)


def _convolve(
    form: Form,
    faces: Pixels,
    step: _Step,
    sums: FloatArray,
    residual: Pixels | None,
    parallel_for: ParallelFor,
) -> tuple[Tensor, FloatArray]:
    """The result (N, K, H, W) for faces (N, H, W, C) with their sums, plus the residual; and its sums."""
    count, height, width, before = faces.shape
    scale, shift = step.scale_and_shift(sums, height * width)
    after = step.bias.size
    size = (count, after, height, width)
    out = torch.empty(size, dtype=form.precision, memory_format=torch.channels_last)
    blocks = _blocks(form, height, width, max(before, after))
    parts = np.zeros((count, len(blocks), 2, after), np.float32)
    into = _pixels(out).reshape(count, height, width * after)
    added = into if residual is None else residual.reshape(into.shape)

    def convolve(places: Iterator[tuple[int, int]]) -> None:
        workspace = _Workspace(form, blocks, before, after)
        for face, number in places:
            block = blocks[number]
            tiles, products = workspace.tiles(block), workspace.products(block)
            form.tiles_in(
                faces[face],
                block.top,
                block.left,
                scale[face],
                shift[face],
                *workspace.to_work_in(block),
                _in_rows(tiles, block),
            )
            torch.bmm(tiles, step.filters, out=products)
            form.tiles_out(
                _in_rows(products, block),
                block.top,
                block.left,
                step.bias,
                added[face],
                residual is not None,
                into[face],
                workspace.to_finish_in(block),
                parts[face, number],
            )

    parallel_for.run([(face, number) for face in range(count) for number in range(len(blocks))], convolve)
    return out, _total(parts)


@dataclass(frozen=True, slots=True)
class _Block:
    """Tiles that are computed together: R rows of T tiles, which start at a row and a column."""

    top: int
    left: int
    rows: int
    columns: int


def _blocks(form: Form, height: int, width: int, channels: int) -> list[_Block]:
    """All blocks of a picture, row by row."""
    tiles_down, tiles_across = height // form.tile, width // form.tile
    columns = min(max(BYTES_A_ROW // 4 // channels, 1), tiles_across)
    rows = min(max(TILES_AT_A_TIME // columns, 1), tiles_down)
    return [
        _Block(top, left, min(rows, tiles_down - top), min(columns, tiles_across - left))
        for top in range(0, tiles_down, rows)
        for left in range(0, tiles_across, columns)
    ]


class _Workspace:
    """Scratch memory of a thread, which is used for all blocks."""

    def __init__(self, form: Form, blocks: Sequence[_Block], before: int, after: int) -> None:
        """Allocates memory for blocks with `before` input and `after` output channels."""
        self._form, self._before, self._after = form, before, after
        rows, columns = max(block.rows for block in blocks), max(block.columns for block in blocks)
        line = form.tile * (columns + 1) * before
        self._lines = np.empty((form.tile * rows + 2) * line, np.float32)
        self._halves = np.empty(max(line, form.lines_back * columns * after), np.float32)
        self._tiles = torch.empty(form.points * rows * columns * before, dtype=form.precision)
        self._products = torch.empty(form.points * rows * columns * after, dtype=form.precision)

    def tiles(self, block: _Block) -> Tensor:
        """(P, R T, C)"""
        return _part(self._tiles, (self._form.points, block.rows * block.columns, self._before))

    def products(self, block: _Block) -> Tensor:
        """(P, R T, K)"""
        return _part(self._products, (self._form.points, block.rows * block.columns, self._after))

    def to_work_in(self, block: _Block) -> tuple[FloatArray, FloatArray]:
        tile, width = self._form.tile, (block.columns + 1) * self._before
        lines = self._lines[: (tile * block.rows + 2) * tile * width]
        return lines.reshape(-1, tile, width), self._halves[: tile * width].reshape(tile, width)

    def to_finish_in(self, block: _Block) -> FloatArray:
        width = block.columns * self._after
        return self._halves[: self._form.lines_back * width].reshape(-1, width)


def _part(memory: Tensor, shape: tuple[int, ...]) -> Tensor:
    return memory[: prod(shape)].view(shape)


def _in_rows(tiles: Tensor, block: _Block) -> Pixels:
    """(P, R, T · C) of (P, R T, C), the same memory."""
    return _as_array(tiles).reshape(tiles.shape[0], block.rows, -1)


def _pixels(x: Tensor) -> Pixels:
    """(N, H, W, C) of x (N, C, H, W), channels last: the same memory."""
    return _as_array(x.permute(0, 2, 3, 1))


def _as_array(x: Tensor) -> Pixels:
    return x.view(torch.int16).numpy().view(np.uint16) if x.dtype == torch.bfloat16 else x.numpy()


def _floats(x: Tensor) -> FloatArray:
    return np.ascontiguousarray(x.detach().float().cpu().numpy())
