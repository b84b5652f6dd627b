"""Residual blocks in bfloat16 on a processor: normalised, activated, convolved and added strip by strip.

A block's tensors do not fit a processor's cache: each of its seven operations fetches them from memory and
puts them back. Here a strip of rows stays in the cache through all of them, and Winograd's F(2 x 2, 3 x 3)
leaves 4 of 9 multiplications. Unlike larger tiles it hardly costs accuracy: what is transformed is added and
subtracted in float32 and rounded once, as the inputs of the plain convolution are.

Letters in shapes: N faces, C and K channels in and out, H W grid; R rows of tiles at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from vidrestore.daefr import kernels
from vidrestore.daefr.blocks import ResidualBlock
from vidrestore.daefr.kernels import Words
from vidrestore.device import Crew
from vidrestore.types import FloatArray

TILES_AT_A_TIME = 256
"""Rows of the matrix products: enough to run at full speed, few enough to stay in the second cache."""
NUMBERS_A_ROW = 2048
"""Of tiles times channels in a row of a block: so few stay in the first cache."""
_POINTS = 16
_FILTER = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))
"""G of the paper, for the points 0, 1, -1 and infinity."""


class FusedResidualBlock(nn.Module):
    """(N, C, H, W) bfloat16 -> (N, K, H, W), channels last; H and W are even. For inference."""

    def __init__(self, block: ResidualBlock, crew: Crew) -> None:
        """The same as `block`, computed by the threads of `crew`."""
        super().__init__()
        self._crew = crew
        self._first = _Step.of(block.norm1, block.conv1)
        self._second = _Step.of(block.norm2, block.conv2)
        self.nin_shortcut = block.nin_shortcut

    def forward(self, x: Tensor) -> Tensor:
        assert x.dtype == torch.bfloat16, f"{x.dtype} is not bfloat16"
        assert x.shape[2] % 2 == x.shape[3] % 2 == 0, f"{x.shape[2]} x {x.shape[3]} is not even"
        x = x.contiguous(memory_format=torch.channels_last)
        words = _words(x)
        hidden, sums = _convolve(words, self._first, _sums(words, self._crew), None, self._crew)
        beside = _words(self.nin_shortcut(x).contiguous(memory_format=torch.channels_last))
        out, _ = _convolve(_words(hidden), self._second, sums, beside, self._crew)
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A normalisation and the convolution behind it."""

    norm_weight: FloatArray
    norm_bias: FloatArray
    groups: int
    eps: float
    filters: Tensor
    """(16, C, K) bfloat16."""
    bias: FloatArray

    @classmethod
    def of(cls, norm: nn.GroupNorm, conv: nn.Conv2d) -> _Step:
        assert conv.bias is not None
        g = torch.tensor(_FILTER, dtype=torch.float64)
        filters = torch.einsum("ia,kcab,jb->ijck", g, conv.weight.detach().double().cpu(), g)
        return cls(
            norm_weight=_floats(norm.weight),
            norm_bias=_floats(norm.bias),
            groups=norm.num_groups,
            eps=norm.eps,
            filters=filters.flatten(0, 1).bfloat16().contiguous(),
            bias=_floats(conv.bias),
        )

    def scale_and_shift(self, sums: FloatArray, pixels: int) -> tuple[FloatArray, FloatArray]:
        """(N, C) each: what the normalisation multiplies channels by and adds, of sums (N, 2, C)."""
        faces, _, channels = sums.shape
        of_group = sums.astype(np.float64).reshape(faces, 2, self.groups, -1).sum(3)
        mean, square = (of_group / (pixels * channels // self.groups)).transpose(1, 0, 2)  # (N, groups)
        over_deviation = 1 / np.sqrt(np.maximum(square - mean**2, 0) + self.eps)
        mean, over_deviation = (np.repeat(v, channels // self.groups, 1) for v in (mean, over_deviation))
        scale = self.norm_weight * over_deviation
        return scale.astype(np.float32), (self.norm_bias - mean * scale).astype(np.float32)


def _sums(faces: Words, crew: Crew) -> FloatArray:
    """(N, 2, C): sum and sum of squares of each channel of faces (N, H, W, C)."""
    count, height, _, channels = faces.shape
    bands = max(height // 8, 1)
    parts = np.zeros((count, bands, 2, channels), np.float32)

    def add(places: Iterator[tuple[int, int]]) -> None:
        for face, band in places:
            first, stop = (height * edge // bands for edge in (band, band + 1))
            kernels.channel_sums(faces[face, first:stop], parts[face, band])

    crew.share([(face, band) for face in range(count) for band in range(bands)], add)
    return _total(parts)


def _total(parts: FloatArray) -> FloatArray:
    """(N, 2, K) of (N, strips, 2, K), in an order that does not depend on which thread was faster."""
    return np.asarray(parts.sum(1, dtype=np.float64), np.float32)


def _convolve(
    faces: Words, step: _Step, sums: FloatArray, beside: Words | None, crew: Crew
) -> tuple[Tensor, FloatArray]:
    """faces (N, H, W, C), their sums and what is added -> (N, K, H, W) and its sums."""
    count, height, width, before = faces.shape
    scale, shift = step.scale_and_shift(sums, height * width)
    after = step.bias.size
    out = torch.empty((count, after, height, width), dtype=torch.bfloat16, memory_format=torch.channels_last)
    blocks = _blocks(height // 2, width // 2, max(before, after))
    parts = np.zeros((count, len(blocks), 2, after), np.float32)
    into = _words(out).reshape(count, height, width * after)
    added = into if beside is None else beside.reshape(into.shape)

    def convolve(places: Iterator[tuple[int, int]]) -> None:
        room = _Room.for_blocks(blocks, before, after)
        for face, number in places:
            block = blocks[number]
            tiles, products = room.tiles(block), room.products(block)
            kernels.tiles_in(
                faces[face],
                block.top,
                block.left,
                scale[face],
                shift[face],
                *room.to_work_in(block),
                _words_of(tiles).reshape(_POINTS, block.rows, -1),
            )
            torch.bmm(tiles, step.filters, out=products)
            kernels.tiles_out(
                _words_of(products).reshape(_POINTS, block.rows, -1),
                block.top,
                block.left,
                step.bias,
                added[face],
                beside is not None,
                into[face],
                room.to_finish_in(block),
                parts[face, number],
            )

    crew.share([(face, number) for face in range(count) for number in range(len(blocks))], convolve)
    return out, _total(parts)


@dataclass(frozen=True, slots=True)
class _Block:
    """Tiles that are worked on together: R rows of T tiles from a row and a column on."""

    top: int
    left: int
    rows: int
    columns: int


def _blocks(tiles_down: int, tiles_across: int, channels: int) -> list[_Block]:
    """All of a picture, row by row of blocks."""
    columns = min(max(NUMBERS_A_ROW // channels, 1), tiles_across)
    rows = min(max(TILES_AT_A_TIME // columns, 1), tiles_down)
    return [
        _Block(top, left, min(rows, tiles_down - top), min(columns, tiles_across - left))
        for top in range(0, tiles_down, rows)
        for left in range(0, tiles_across, columns)
    ]


class _Room:
    """Memory that a thread works in, the same for each block after the other."""

    def __init__(self, rows: int, columns: int, before: int, after: int) -> None:
        """For blocks of at most `rows` x `columns` tiles of `before` and `after` channels."""
        self._before, self._after = before, after
        self._lines = np.empty((2 * rows + 2) * 2 * (columns + 1) * before, np.float32)
        self._halves = np.empty(max(2 * (columns + 1) * before, 6 * columns * after), np.float32)
        self._tiles = torch.empty(_POINTS * rows * columns * before, dtype=torch.bfloat16)
        self._products = torch.empty(_POINTS * rows * columns * after, dtype=torch.bfloat16)

    @classmethod
    def for_blocks(cls, blocks: Sequence[_Block], before: int, after: int) -> _Room:
        return cls(max(b.rows for b in blocks), max(b.columns for b in blocks), before, after)

    def tiles(self, block: _Block) -> Tensor:
        """(16, R T, C)"""
        return _part(self._tiles, (_POINTS, block.rows * block.columns, self._before))

    def products(self, block: _Block) -> Tensor:
        """(16, R T, K)"""
        return _part(self._products, (_POINTS, block.rows * block.columns, self._after))

    def to_work_in(self, block: _Block) -> tuple[FloatArray, FloatArray]:
        width = (block.columns + 1) * self._before
        lines = self._lines[: (2 * block.rows + 2) * 2 * width].reshape(-1, 2, width)
        return lines, self._halves[: 2 * width].reshape(2, width)

    def to_finish_in(self, block: _Block) -> FloatArray:
        width = block.columns * self._after
        return self._halves[: 6 * width].reshape(6, width)


def _part(memory: Tensor, shape: tuple[int, ...]) -> Tensor:
    return memory[: prod(shape)].view(shape)


def _words(x: Tensor) -> Words:
    """x (N, C, H, W) bfloat16, channels last, as (N, H, W, C) words of the same memory."""
    return _words_of(x.permute(0, 2, 3, 1))


def _words_of(x: Tensor) -> Words:
    return x.view(torch.int16).numpy().view(np.uint16)


def _floats(x: Tensor) -> FloatArray:
    return np.ascontiguousarray(x.detach().float().cpu().numpy())
