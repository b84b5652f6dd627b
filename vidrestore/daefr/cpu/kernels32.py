"""Loops that are compiled for the CPU, as in `kernels.py`, but in float32 and with larger tiles.

Winograd's F(4 x 4, 3 x 3): tiles of 6 x 6 inputs, 36 products per channel pair, 4 x 4 outputs. Pixels are
stored in four rows, by their column modulo four, so that each inner loop runs over contiguous memory.
"""

from __future__ import annotations

import numpy as np

from vidrestore.daefr.cpu.kernels import LOG2_E, ONE, ZERO, compiled, exp2, sum_channels
from vidrestore.types import FloatArray

TWO, FOUR, FIVE, EIGHT = np.float32(2), np.float32(4), np.float32(5), np.float32(8)


@compiled
def channel_sums(x: FloatArray, sums: FloatArray) -> None:
    """Adds the sum and the sum of squares of each channel of x (H, W, C) to sums (2, C)."""
    sum_channels(x.reshape(x.size), sums[0], sums[1])


@compiled
def tiles_in(
    x: FloatArray,
    top: int,
    left: int,
    scale: FloatArray,
    shift: FloatArray,
    lines: FloatArray,
    halves: FloatArray,
    tiles: FloatArray,
) -> None:
    """The transformed inputs swish(x · scale + shift) of R x T tiles, for the products.

    x (H, W, C); scale, shift (C,). `top` and `left` are the row and column of the first tile; outside of
    the picture there are zeros. tiles (36, R, T · C) is the result; lines (4 R + 2, 4, (T + 1) · C) and
    halves (4, (T + 1) · C) are scratch space.
    """
    channels, size = x.shape[2], tiles.shape[2]
    for line in range(lines.shape[0]):
        row = 4 * top + line - 1
        for rest in range(4):
            _activate(x, row, 4 * left + rest - 1, scale, shift, lines[line, rest])
    first, second, third, fourth = halves[0], halves[1], halves[2], halves[3]
    for row in range(tiles.shape[1]):
        at = 4 * row
        for point in range(6):
            for rest in range(4):
                _point(
                    lines[at, rest],
                    lines[at + 1, rest],
                    lines[at + 2, rest],
                    lines[at + 3, rest],
                    lines[at + 4, rest],
                    lines[at + 5, rest],
                    point,
                    halves[rest],
                )
            fifth, sixth = first[channels:], second[channels:]
            for column in range(6):
                out = tiles[6 * point + column, row]
                _point(first[:size], second[:size], third[:size], fourth[:size], fifth, sixth, column, out)


@compiled
def tiles_out(
    products: FloatArray,
    top: int,
    left: int,
    bias: FloatArray,
    residual: FloatArray,
    has_residual: bool,
    out: FloatArray,
    halves: FloatArray,
    sums: FloatArray,
) -> None:
    """Writes the inverse transform of the products of R x T tiles, plus bias and residual, to out.

    products (36, R, T · K); bias (K,); residual and out (H, W · K); halves (14, T · K) is scratch space. Adds
    the sum and the sum of squares of each channel of the written values to sums (2, K).
    """
    channels, size = bias.shape[0], products.shape[2]
    line = halves[10:].reshape(4 * size)
    begin, end = 4 * left * channels, 4 * left * channels + 4 * size
    for row in range(products.shape[1]):
        for down in range(4):
            at = 4 * (top + row) + down
            for column in range(6):
                _point_back(
                    products[column, row],
                    products[6 + column, row],
                    products[12 + column, row],
                    products[18 + column, row],
                    products[24 + column, row],
                    products[30 + column, row],
                    down,
                    halves[column],
                )
            for across in range(4):
                _point_back(
                    halves[0],
                    halves[1],
                    halves[2],
                    halves[3],
                    halves[4],
                    halves[5],
                    across,
                    halves[6 + across],
                )
                _interleave(halves[6 + across], across, bias, line)
            if has_residual:
                _add(residual[at, begin:end], line)
            out[at, begin:end] = line
            sum_channels(line, sums[0], sums[1])


@compiled
def _activate(
    x: FloatArray, row: int, first: int, scale: FloatArray, shift: FloatArray, out: FloatArray
) -> None:
    """Every fourth activated pixel of a row, starting at column `first`; zeros outside of the picture."""
    height, width, channels = x.shape
    for tile in range(out.shape[0] // channels):
        column = first + 4 * tile
        begin, end = tile * channels, (tile + 1) * channels
        if 0 <= row < height and 0 <= column < width:
            _swish(x[row, column], scale, shift, out[begin:end])
        else:
            out[begin:end] = ZERO


@compiled
def _swish(pixel: FloatArray, scale: FloatArray, shift: FloatArray, out: FloatArray) -> None:
    for c in range(out.shape[0]):
        value = pixel[c] * scale[c] + shift[c]
        out[c] = value / (ONE + exp2(-LOG2_E * value))


@compiled
def _point(
    a: FloatArray,
    b: FloatArray,
    c: FloatArray,
    d: FloatArray,
    e: FloatArray,
    f: FloatArray,
    point: int,
    out: FloatArray,
) -> None:
    """One of Bᵀ's six sums of six inputs, for the points 0, 1, -1, 2, -2 and infinity."""
    if point == 0:
        _outer_point(a, c, e, out)
    elif point == 5:
        _outer_point(b, d, f, out)
    elif point < 3:
        _inner_point(b, c, d, e, FOUR, ONE if point == 1 else -ONE, out)
    else:
        _inner_point(b, c, d, e, ONE, TWO if point == 3 else -TWO, out)


@compiled
def _outer_point(a: FloatArray, c: FloatArray, e: FloatArray, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        out[i] = FOUR * a[i] - FIVE * c[i] + e[i]


@compiled
def _inner_point(
    b: FloatArray,
    c: FloatArray,
    d: FloatArray,
    e: FloatArray,
    square: np.float32,
    root: np.float32,
    out: FloatArray,
) -> None:
    for i in range(out.shape[0]):
        out[i] = (e[i] - square * c[i]) + root * (d[i] - square * b[i])


@compiled
def _point_back(
    a: FloatArray,
    b: FloatArray,
    c: FloatArray,
    d: FloatArray,
    e: FloatArray,
    f: FloatArray,
    place: int,
    out: FloatArray,
) -> None:
    """One of Aᵀ's four sums of six points."""
    size = out.shape[0]
    if place == 0:
        for i in range(size):
            out[i] = a[i] + (b[i] + c[i]) + (d[i] + e[i])
    elif place == 1:
        for i in range(size):
            out[i] = (b[i] - c[i]) + TWO * (d[i] - e[i])
    elif place == 2:
        for i in range(size):
            out[i] = (b[i] + c[i]) + FOUR * (d[i] + e[i])
    else:
        for i in range(size):
            out[i] = (b[i] - c[i]) + EIGHT * (d[i] - e[i]) + f[i]


@compiled
def _interleave(values: FloatArray, across: int, bias: FloatArray, line: FloatArray) -> None:
    """Writes every fourth column of a row of outputs, with the bias."""
    channels = bias.shape[0]
    for at in range(0, values.shape[0], channels):
        begin = 4 * at + across * channels
        pixel, place = values[at : at + channels], line[begin : begin + channels]
        for c in range(channels):
            place[c] = pixel[c] + bias[c]


@compiled
def _add(values: FloatArray, line: FloatArray) -> None:
    for i in range(line.shape[0]):
        line[i] += values[i]
