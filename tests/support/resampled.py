"""Planes enlarged by the closed form of Lanczos' filter: written down once more, sample by sample."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def lanczos_plane(
    plane: NDArray[Any], factor: int, peak: int, *, across: float = 0.5, down: float = 0.5
) -> NDArray[Any]:
    """(h * factor, w * factor) codes; `across` and `down` say where samples lie in their cells, 0..1."""
    rows = _matrix(plane.shape[0], factor, down)
    columns = _matrix(plane.shape[1], factor, across)
    exact = rows @ plane.astype(np.float64) @ columns.T
    return np.clip(np.rint(exact), 0, peak).astype(plane.dtype)


def _matrix(count: int, factor: int, at: float) -> NDArray[np.float64]:
    """(count * factor, count): the weights of the given samples in each new one."""
    matrix = np.zeros((count * factor, count))
    for new in range(count * factor):
        position = (new + at) / factor - at
        near = range(math.floor(position) - 2, math.floor(position) + 4)
        weights = [_kernel(position - sample) for sample in near]
        for sample, weight in zip(near, weights, strict=True):
            matrix[new, min(max(sample, 0), count - 1)] += weight / sum(weights)
    return matrix


def _kernel(x: float) -> float:
    if x == 0:
        return 1.0
    return 3 * math.sin(math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x) ** 2 if abs(x) < 3 else 0.0
