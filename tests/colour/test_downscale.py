"""Each pixel of a downscaled copy is the mean of the pixels it covers, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.colour.downscale import downscale


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    "shape", [(720, 1280), (1080, 1920), (540, 959), (480, 854), (271, 433), (27, 48), (61, 97)]
)
def test_a_slope_stays_a_slope(dtype: type, shape: tuple[int, int]) -> None:
    width = shape[1]
    slope = np.broadcast_to(np.linspace(20, 220, width, dtype=np.float32), shape)
    copy = downscale(slope.astype(dtype), (48, 27))
    assert copy.shape == (27, 48)
    assert copy.dtype == dtype
    middles = 20 + 200 * ((np.arange(48) + 0.5) * width / 48 - 0.5) / (width - 1)
    assert np.abs(copy.astype(np.float64) - middles).max() < 200 / 48 / 4 + 1


def test_a_smaller_picture_is_enlarged_to_the_requested_size() -> None:
    assert downscale(np.full((10, 10), 7, np.uint8), (48, 27)).shape == (27, 48)


def test_grain_is_averaged_away() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280)).astype(np.uint8)
    assert downscale(noise, (32, 18)).std() < 3
