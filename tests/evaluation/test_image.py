"""Picture metrics against other libraries and against values that are calculated by hand."""

from __future__ import annotations

import math
import sys

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidrestore.errors import UsageError
from vidrestore.evaluation import image
from vidrestore.types import FloatArray


def _picture(seed: int, size: int = 48) -> FloatArray:
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.random((size, size, 3)), (0, 0), 2)
    return np.asarray((smooth - smooth.min()) / (smooth.max() - smooth.min()), np.float32)


def _noisy(picture: FloatArray, sigma: float = 0.08) -> FloatArray:
    noise = np.random.default_rng(9).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def test_psnr_of_a_constant_error_is_its_closed_form() -> None:
    truth = np.full((16, 16, 3), 0.5, np.float32)
    assert image.psnr(truth + np.float32(0.1), truth) == pytest.approx(20.0, abs=1e-4)


def test_psnr_of_equal_pictures_is_infinite() -> None:
    assert image.psnr(_picture(1), _picture(1)) == math.inf


@pytest.mark.parametrize("seed", [1, 2])
def test_psnr_is_that_of_other_libraries(seed: int) -> None:
    piq = pytest.importorskip("piq")
    torchmetrics = pytest.importorskip("torchmetrics.functional.image")
    truth = _picture(seed)
    pair = _tensors(_noisy(truth), truth)
    mine = image.psnr(_noisy(truth), truth)
    assert mine == pytest.approx(float(piq.psnr(*pair, data_range=1.0)), abs=1e-4)
    of_torchmetrics = torchmetrics.peak_signal_noise_ratio(*pair, data_range=1.0)
    assert mine == pytest.approx(float(of_torchmetrics), abs=1e-4)


@pytest.mark.parametrize("seed", [1, 2])
def test_ssim_of_the_channels_is_that_of_other_libraries(seed: int) -> None:
    piq = pytest.importorskip("piq")
    torchmetrics = pytest.importorskip("torchmetrics.functional.image")
    truth = _picture(seed, 96)
    pair = _tensors(_noisy(truth), truth)
    mine = image.ssim(_noisy(truth), truth, "rgb")
    of_piq = piq.ssim(*pair, downsample=False, data_range=1.0)
    assert mine == pytest.approx(float(of_piq), abs=1e-4)
    # torchmetrics averages the borders, too; where the window fits, both are one.
    _, whole = torchmetrics.structural_similarity_index_measure(*pair, data_range=1.0, return_full_image=True)
    assert mine == pytest.approx(float(whole[..., 5:-5, 5:-5].mean()), abs=1e-4)


def test_ssim_of_the_channels_is_basicsrs() -> None:
    truth = _picture(3)
    codes = [np.rint(255 * picture).astype(np.uint8) for picture in (_noisy(truth), truth)]
    pictures = [(picture / np.float32(255)).astype(np.float32) for picture in codes]
    expected = np.mean([_basicsr_ssim(codes[0][..., c], codes[1][..., c]) for c in range(3)])
    assert image.ssim(*pictures, "rgb") == pytest.approx(expected, abs=1e-5)


def test_ssim_of_the_luma_is_basicsrs_of_the_luma() -> None:
    truth = _picture(4)
    planes = [255 * image.luma(picture) for picture in (_noisy(truth), truth)]
    assert image.ssim(_noisy(truth), truth) == pytest.approx(_basicsr_ssim(*planes), abs=1e-5)


def test_ms_ssim_is_torchmetrics() -> None:
    torchmetrics = pytest.importorskip("torchmetrics.functional.image")
    truth = _picture(5, 256)
    noisy = _noisy(truth, 0.02)
    expected = torchmetrics.multiscale_structural_similarity_index_measure(
        *_tensors(noisy, truth), data_range=1.0
    )
    assert image.ms_ssim(noisy, truth) == pytest.approx(float(expected), abs=1e-4)


def _tensors(*pictures: FloatArray) -> list[torch.Tensor]:
    return [torch.from_numpy(picture.transpose(2, 0, 1).copy())[None] for picture in pictures]


def _basicsr_ssim(a: np.ndarray, b: np.ndarray) -> float:
    """basicsr's `_ssim` of planes in 0..255, with no border cut."""
    first, second = a.astype(np.float64), b.astype(np.float64)
    kernel = cv2.getGaussianKernel(11, 1.5)
    window = np.outer(kernel, kernel.transpose())

    def mean(plane: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.filter2D(plane, -1, window))[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = mean(first), mean(second)
    variances = mean(first**2) - mean_a**2 + mean(second**2) - mean_b**2
    covariance = mean(first * second) - mean_a * mean_b
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return float((similarity / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean())


def test_ssim_of_flat_pictures_is_the_luminance_term_alone() -> None:
    dark, light = np.full((16, 16, 3), 0.2, np.float32), np.full((16, 16, 3), 0.6, np.float32)
    expected = (2 * 0.2 * 0.6 + 0.01**2) / (0.2**2 + 0.6**2 + 0.01**2)
    assert image.ssim(dark, light) == pytest.approx(expected, abs=1e-4)


@given(seed=st.integers(0, 1000), sigma=st.floats(0.0, 0.5))
def test_ssim_is_symmetric_and_at_most_one(seed: int, sigma: float) -> None:
    truth = _picture(seed, 16)
    noisy = _noisy(truth, sigma)
    value = image.ssim(noisy, truth)
    assert value <= 1 + 1e-9
    assert value == pytest.approx(image.ssim(truth, noisy), abs=1e-12)


def test_ssim_refuses_a_picture_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="11 x 11"):
        image.ssim(_picture(1, 10), _picture(1, 10))


@given(contrast=st.floats(0.05, 1.0))
def test_edge_energy_goes_with_the_square_of_the_contrast(contrast: float) -> None:
    truth = _picture(4)
    softer = (0.5 + contrast * (truth - 0.5)).astype(np.float32)
    assert image.edge_energy_ratio(softer, truth) == pytest.approx(contrast**2, rel=1e-3)


def test_edge_energy_falls_with_blur_and_rises_with_noise() -> None:
    truth = _picture(5)
    blurred = np.asarray(cv2.GaussianBlur(truth, (0, 0), 2), np.float32)
    assert image.edge_energy_ratio(blurred, truth) < 0.7
    assert image.edge_energy_ratio(_noisy(truth), truth) > 1.5


def test_edge_energy_of_flat_pictures_is_defined() -> None:
    flat = np.full((16, 16, 3), 0.25, np.float32)
    assert image.edge_energy_ratio(flat, flat) == 1
    assert image.edge_energy_ratio(_picture(1, 16), flat) == math.inf


@pytest.mark.parametrize("metric", [image.psnr, image.ssim, image.edge_energy_ratio, image.gmsd])
def test_pictures_of_different_sizes_are_refused(metric) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="alike"):
        metric(_picture(1, 16), _picture(1, 17))


@pytest.mark.parametrize("metric", [image.gmsd, image.haarpsi, image.ms_ssim])
def test_a_missing_extra_is_named(metric, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setitem(sys.modules, "piq", None)
    with pytest.raises(UsageError, match=r"vidrestore\[eval\]"):
        metric(_picture(1), _picture(1))


def test_perceptual_metrics_prefer_the_truth() -> None:
    pytest.importorskip("piq")
    truth = _picture(6, 176)
    noisy = _noisy(truth)
    assert image.gmsd(truth, truth) == pytest.approx(0, abs=1e-3)
    assert image.gmsd(noisy, truth) > 0.02
    assert image.haarpsi(noisy, truth) < 0.95 < image.haarpsi(truth, truth)
    assert image.ms_ssim(noisy, truth) < 0.99 < image.ms_ssim(truth, truth)
