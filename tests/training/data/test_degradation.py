"""Faces are degraded in the specification's order and within its ranges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.training.config import DegradationConfig
from vidrestore.training.data.degradation import blur_kernel, degrade, jpeg

RNG = np.random.default_rng(5)
FACE = np.clip(RNG.random((64, 64, 3), np.float32) * 0.5 + np.linspace(0, 0.5, 64)[:, None, None], 0, 1)
FACE = FACE.astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(
    sigma=st.tuples(st.floats(0.5, 4), st.floats(0.5, 4)),
    angle=st.floats(-np.pi, np.pi),
    isotropic=st.booleans(),
)
def test_a_blur_kernel_keeps_brightness_and_place(
    sigma: tuple[float, float], angle: float, isotropic: bool
) -> None:
    kernel = blur_kernel(radius=19, sigma=sigma, angle=angle, isotropic=isotropic)
    assert kernel.shape == (39, 39)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-7)


def test_an_anisotropic_kernel_is_as_wide_as_its_sigmas() -> None:
    kernel = blur_kernel(radius=20, sigma=(4.0, 1.5), angle=0.0, isotropic=False)
    x = np.arange(-20, 21)
    assert np.sqrt((kernel.sum(0) * x**2).sum()) == pytest.approx(4.0, rel=0.01)
    assert np.sqrt((kernel.sum(1) * x**2).sum()) == pytest.approx(1.5, rel=0.01)


def test_a_degraded_face_has_the_same_size_in_eight_bits() -> None:
    low = degrade(FACE, DegradationConfig(), np.random.default_rng(1))
    assert low.shape == FACE.shape
    assert low.dtype == np.float32
    assert np.abs(low * 255 - np.round(low * 255)).max() < 1e-4


def test_the_same_seed_degrades_alike_and_another_differently() -> None:
    one, two, three = (degrade(FACE, DegradationConfig(), np.random.default_rng(s)) for s in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_next_to_no_degradation_leaves_the_face() -> None:
    gentle = DegradationConfig(blur_sigma=(0.1, 0.1), downsample=(1, 1), noise=(0, 0), jpeg=(100, 100))
    smooth = np.full((64, 64, 3), 0.4, np.float32)
    assert np.abs(degrade(smooth, gentle, np.random.default_rng(0)) - smooth).max() < 2 / 255


def test_noise_has_the_strength_requested() -> None:
    noisy = DegradationConfig(blur_sigma=(0.1, 0.1), downsample=(1, 1), noise=(20, 20), jpeg=(100, 100))
    grey = np.full((128, 128, 3), 0.5, np.float32)
    for seed in range(8):
        red, green, blue = np.moveaxis(degrade(grey, noisy, np.random.default_rng(seed)) * 255, -1, 0)
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        assert luma.std() == pytest.approx(20 * np.linalg.norm([0.299, 0.587, 0.114]), rel=0.05)
        # Each channel has its own map, of which JPEG's coarser chroma takes some.
        assert min((red - green).std(), (green - blue).std()) > 5


def test_jpeg_keeps_the_order_of_channels() -> None:
    red = np.zeros((32, 32, 3), np.float32)
    red[..., 0] = 0.8
    assert jpeg(red, 95)[16, 16] == pytest.approx([0.8, 0, 0], abs=0.03)
