"""NIQE distinguishes natural pictures from degraded ones, with the model that is passed to it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.special import gamma

from tests.support.shared import ROOT
from vidrestore.evaluation.natural_faces import load_natural_faces, make_natural_faces
from vidrestore.evaluation.niqe import NiqeModel, _asymmetric, fit_niqe, niqe
from vidrestore.types import FloatArray


def natural(seed: int) -> FloatArray:
    """Noise with the spectrum of natural pictures, 1 / f."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    frequency[0, 0] = np.inf
    plane = np.fft.ifft2(np.fft.fft2(rng.standard_normal((256, 256))) / frequency).real
    plane = 0.5 + 0.15 * plane / plane.std()
    return np.repeat(plane.clip(0, 1)[..., None], 3, axis=2).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> NiqeModel:
    return fit_niqe(natural(seed) for seed in range(12))


def test_blur_noise_and_blocks_are_less_natural_than_the_picture_itself(model: NiqeModel) -> None:
    picture = natural(100)
    clean = niqe(picture, model)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 2.0))
    noisy = picture + 0.1 * np.random.default_rng(0).standard_normal(picture.shape).astype(np.float32)
    blocky = np.repeat(np.repeat(picture[::4, ::4], 4, axis=0), 4, axis=1)
    for spoilt in (blurred, noisy, blocky):
        assert niqe(spoilt.astype(np.float32), model) > 2 * clean


def test_more_blur_is_less_natural(model: NiqeModel) -> None:
    picture = natural(101)
    values = [niqe(np.asarray(cv2.GaussianBlur(picture, (0, 0), s)), model) for s in (0.6, 1.2, 2.4)]
    assert values == sorted(values)


@pytest.mark.parametrize("shape", [1.0, 2.0])
def test_the_shape_of_a_known_distribution_is_found(shape: float) -> None:
    rng = np.random.default_rng(0)
    values = rng.laplace(size=200_000) if shape == 1.0 else rng.standard_normal(200_000)
    found, left, right = _asymmetric(values)
    assert found == pytest.approx(shape, rel=0.02)
    deviation = np.sqrt(gamma(3 / shape) / gamma(1 / shape)) if shape == 1.0 else 1.0
    assert (left, right) == pytest.approx((deviation, deviation), rel=0.02)


def test_a_flat_picture_has_a_value_and_a_small_one_is_refused(model: NiqeModel) -> None:
    assert np.isfinite(niqe(np.full((256, 256, 3), 0.5, np.float32), model))
    with pytest.raises(ValueError, match="at least 128 pixels"):
        niqe(np.zeros((64, 64, 3), np.float32), model)
    with pytest.raises(ValueError, match="at least 37 sharp patches"):
        fit_niqe([natural(0)])


def test_a_model_is_made_from_a_folder_of_faces(tmp_path: Path, model: NiqeModel) -> None:
    for seed in range(12):
        codes = np.round(255 * natural(seed)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{seed}.png"), codes[..., ::-1])
    make_natural_faces(tmp_path, tmp_path / "model.safetensors")
    made = load_natural_faces(tmp_path / "model.safetensors")
    assert made.mean == pytest.approx(model.mean, rel=0.01, abs=0.01)
    assert niqe(natural(100), made) == pytest.approx(niqe(natural(100), model), rel=0.02)


def test_under_the_embedded_model_a_clean_face_is_more_natural_than_a_damaged_one() -> None:
    picture = cv2.imread(str(ROOT / "tests" / "golden" / "old_film_truth_012.jpg"))
    assert picture is not None
    face = picture[..., ::-1].astype(np.float32) / 255
    model = load_natural_faces()
    noise = np.random.default_rng(0).normal(0, 20 / 255, face.shape)
    damaged = [cv2.GaussianBlur(face, (0, 0), 2), (face + noise).clip(0, 1)]
    for picture_of_it in damaged:
        assert niqe(np.asarray(picture_of_it, np.float32), model) > niqe(face, model) + 1
