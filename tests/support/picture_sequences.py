"""Numbered pictures for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 64, 96


Picture = NDArray[Any]


def noise_pictures(depth: str, channels: int) -> Callable[[int], Picture]:
    def make(number: int) -> Picture:
        shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
        rng = np.random.default_rng(number)
        if depth == "half":  # light beyond 1 and below 0 as well
            return (rng.random(shape) * 3 - 0.2).astype(np.float16).astype(np.float32)
        return rng.integers(0, np.iinfo(depth).max, shape, endpoint=True).astype(depth)

    return make


def write_sequence(folder: Path, name: str, make: Callable[[int], Picture], numbers: range) -> Path:
    folder.mkdir()
    half = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF] if name.endswith("exr") else []
    for number in numbers:
        assert cv2.imwrite(str(folder / (name % number)), make(number), half)
    return folder / name


def read_samples(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture
