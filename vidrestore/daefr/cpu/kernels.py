"""Loops that are compiled for the CPU: one pass instead of ten tensor operations.

16-bit numbers are bfloat16, the upper half of a float32, as uint16. Pictures are (H, W, C), with the channels
of a pixel next to each other. Winograd's F(2 x 2, 3 x 3) is from Lavin and Gray 2016, "Fast algorithms for
convolutional neural networks": tiles of 4 x 4 inputs, 16 products per channel pair, 2 x 2 outputs.

Every inner loop reads two or three contiguous arrays and writes one, because compilers turn this into vector
instructions. So pixels of even and odd columns, which tiles use alternately, are stored separately. A
compiled function is cached until its own file changes. So after a change to a function here that
`kernels32.py` calls, change that file too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

F = TypeVar("F", bound=Callable[..., Any])
Words = NDArray[np.uint16]
"""bfloat16 numbers."""
LOG2_E, LN_2 = np.float32(1.4426950408889634), np.float32(0.6931471805599453)
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
LOWEST, HIGHEST = np.float32(-126), np.float32(126)
_NUMBA_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    # Sums may be reordered and fused with products; NaN remains NaN.
    "fastmath": {"contract", "reassoc", "nsz", "arcp"},
}


def compiled(function: F) -> F:
    """The function, which is compiled at its first call and cached on the disk."""
    try:
        made: F = numba.njit(cache=True, **_NUMBA_OPTIONS)(function)
    except RuntimeError:  # there is no folder for the cache
        made = numba.njit(**_NUMBA_OPTIONS)(function)
    return made


@compiled
def channel_sums(x: Words, sums: FloatArray) -> None:
    """Adds the sum and the sum of squares of each channel of x (H, W, C) to sums (2, C)."""
    total, squares = sums[0], sums[1]
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            pixel = x[row, column]
            for c in range(x.shape[2]):
                value = _wide(pixel[c])
                total[c] += value
                squares[c] += value * value


@compiled
def tiles_in(
    x: Words,
    top: int,
    left: int,
    scale: FloatArray,
    shift: FloatArray,
    lines: FloatArray,
    halves: FloatArray,
    tiles: Words,
) -> None:
    """The transformed inputs swish(x · scale + shift) of R x T tiles, for the products.

    x (H, W, C); scale, shift (C,). `top` and `left` are the row and column of the first tile; outside of
    the picture there are zeros. tiles (16, R, T · C) is the result; lines (2 R + 2, 2, (T + 1) · C) and
    halves (2, (T + 1) · C) are scratch space.
    """
    channels, size = x.shape[2], tiles.shape[2]
    for line in range(lines.shape[0]):
        _activate(x, 2 * top + line - 1, left, scale, shift, lines[line, 0], lines[line, 1])
    even, odd = halves[0], halves[1]
    for row in range(tiles.shape[1]):
        for point in range(4):
            _points(lines, 2 * row, point, halves)
            # The columns of a tile: even, odd, the next even and the next odd one.
            next_even, next_odd = even[channels:], odd[channels:]
            _narrow_difference(even[:size], next_even, tiles[4 * point, row])
            _narrow_sum(odd[:size], next_even, tiles[4 * point + 1, row])
            _narrow_difference(next_even, odd[:size], tiles[4 * point + 2, row])
            _narrow_difference(odd[:size], next_odd, tiles[4 * point + 3, row])


@compiled
def tiles_out(
    products: Words,
    top: int,
    left: int,
    bias: FloatArray,
    residual: Words,
    has_residual: bool,
    out: Words,
    halves: FloatArray,
    sums: FloatArray,
) -> None:
    """Writes the inverse transform of the products of R x T tiles, plus bias and residual, to out.

    products (16, R, T · K); bias (K,); residual and out (H, W · K); halves (6, T · K) is scratch space. Adds
    the sum and the sum of squares of each channel of the written values to sums (2, K).
    """
    channels, size = bias.shape[0], products.shape[2]
    line = halves[4:].reshape(2 * size)
    begin, end = 2 * left * channels, 2 * left * channels + 2 * size
    for row in range(products.shape[1]):
        for lower in range(2):
            at = 2 * (top + row) + lower
            _points_back(products, row, lower, halves)
            _interleave(halves[0], halves[3], bias, line)
            if has_residual:
                _add_wide(residual[at, begin:end], line)
            _narrow_all(line, out[at, begin:end])
            sum_channels(line, sums[0], sums[1])


@compiled
def _activate(
    x: Words,
    row: int,
    left: int,
    scale: FloatArray,
    shift: FloatArray,
    even: FloatArray,
    odd: FloatArray,
) -> None:
    """The activated pixels of a row for tiles that start at `left`, with even and odd columns separate."""
    height, width, channels = x.shape
    if row < 0 or row >= height:
        even[:] = ZERO
        odd[:] = ZERO
        return
    for tile in range(even.shape[0] // channels):
        begin, end = tile * channels, (tile + 1) * channels
        column = 2 * (left + tile)
        if column > 0:
            _swish(x[row, column - 1], scale, shift, even[begin:end])
        else:
            even[begin:end] = ZERO
        if column < width:
            _swish(x[row, column], scale, shift, odd[begin:end])
        else:
            odd[begin:end] = ZERO


@compiled
def _swish(pixel: Words, scale: FloatArray, shift: FloatArray, out: FloatArray) -> None:
    for c in range(out.shape[0]):
        value = _wide(pixel[c]) * scale[c] + shift[c]
        out[c] = value / (ONE + exp2(-LOG2_E * value))


@compiled
def _points(lines: FloatArray, top: int, point: int, halves: FloatArray) -> None:
    """One of four rows of the transformed tiles, from the four rows of pixels that start at `top`."""
    for parity in range(2):
        a, b, c, d = (
            lines[top, parity],
            lines[top + 1, parity],
            lines[top + 2, parity],
            lines[top + 3, parity],
        )
        if point == 0:
            _subtract(a, c, halves[parity])
        elif point == 1:
            _add(b, c, halves[parity])
        elif point == 2:
            _subtract(c, b, halves[parity])
        else:
            _subtract(b, d, halves[parity])


@compiled
def _points_back(products: Words, row: int, lower: int, halves: FloatArray) -> None:
    """The upper or lower row of outputs of a row of tiles: even columns in halves[0], odd ones in [3]."""
    for column in range(4):
        a, b = products[column, row], products[4 + column, row]
        c, d = products[8 + column, row], products[12 + column, row]
        half = halves[column]
        if lower:
            for i in range(half.shape[0]):
                half[i] = _wide(b[i]) - _wide(c[i]) - _wide(d[i])
        else:
            for i in range(half.shape[0]):
                half[i] = _wide(a[i]) + _wide(b[i]) + _wide(c[i])
    m0, m1, m2, m3 = halves[0], halves[1], halves[2], halves[3]
    for i in range(m0.shape[0]):
        m0[i] += m1[i] + m2[i]
    for i in range(m0.shape[0]):
        m3[i] = m1[i] - m2[i] - m3[i]


@compiled
def _interleave(even: FloatArray, odd: FloatArray, bias: FloatArray, line: FloatArray) -> None:
    """Columns in their original order, with the bias added."""
    channels = bias.shape[0]
    for at in range(0, even.shape[0], channels):
        _add(even[at : at + channels], bias, line[2 * at : 2 * at + channels])
        _add(odd[at : at + channels], bias, line[2 * at + channels : 2 * (at + channels)])


@compiled
def sum_channels(line: FloatArray, total: FloatArray, squares: FloatArray) -> None:
    """Adds the sums and the sums of squares of the channels of a line of pixels."""
    channels = total.shape[0]
    for at in range(0, line.shape[0], channels):
        pixel = line[at : at + channels]
        for c in range(channels):
            total[c] += pixel[c]
            squares[c] += pixel[c] * pixel[c]


@compiled
def _add(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        out[i] = a[i] + b[i]


@compiled
def _subtract(a: FloatArray, b: FloatArray, out: FloatArray) -> None:
    for i in range(out.shape[0]):
        out[i] = a[i] - b[i]


@compiled
def _add_wide(words: Words, out: FloatArray) -> None:
    for i in range(words.shape[0]):
        out[i] += _wide(words[i])


@compiled
def _narrow_all(line: FloatArray, out: Words) -> None:
    for i in range(out.shape[0]):
        out[i] = _narrow(line[i])


@compiled
def _narrow_sum(a: FloatArray, b: FloatArray, out: Words) -> None:
    for i in range(out.shape[0]):
        out[i] = _narrow(a[i] + b[i])


@compiled
def _narrow_difference(a: FloatArray, b: FloatArray, out: Words) -> None:
    for i in range(out.shape[0]):
        out[i] = _narrow(a[i] - b[i])


@compiled
def _wide(word: np.uint16) -> np.float32:
    """bfloat16 to float32."""
    return np.uint32(np.uint32(word) << np.uint32(16)).view(np.float32)


@compiled
def _narrow(value: np.float32) -> np.uint16:
    """float32 to the nearest bfloat16, halves to even."""
    bits = np.float32(value).view(np.uint32)
    odd = np.uint32(np.uint32(bits >> np.uint32(16)) & np.uint32(1))
    rounded = np.uint32(np.uint32(bits + np.uint32(0x7FFF)) + odd)
    return np.uint16(np.uint32(rounded >> np.uint32(16)))


@compiled
def exp2(x: np.float32) -> np.float32:
    """2 to the power of x, limited to the exponents of float32; relative error below 3e-7."""
    x = min(max(x, LOWEST), HIGHEST)
    whole = np.floor(x + HALF)
    f = (x - whole) * LN_2
    # The series of e to the power of f, for f from -0.35 to 0.35.
    power = ONE + f * (
        ONE
        + f
        * (
            HALF
            + f
            * (
                np.float32(1 / 6)
                + f * (np.float32(1 / 24) + f * (np.float32(1 / 120) + f * np.float32(1 / 720)))
            )
        )
    )
    scale = np.int32(np.int32(np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(scale * power)
