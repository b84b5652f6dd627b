"""How natural a picture is without its truth (Mittal et al. 2013, "Making a 'completely blind' image quality
analyzer"); lower is better.

The published model of pristine pictures is of landscapes and a download; here a model is fitted to pictures
that the caller gives, so values compare only with values under the same model. Patches are 64 pixels, for
faces of 256, where the paper has 96.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import gamma

from vidrestore.evaluation.image import luma
from vidrestore.types import FloatArray

PATCH = 64
SHARP_SHARE = 0.75
"""Of the sharpest patch's contrast, what a patch of a pristine picture must have to count (the paper's T)."""
_SIGMA = 7 / 6
_SHAPES = np.arange(0.2, 10, 0.001)
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NiqeModel:
    """The features of natural pictures: a Gaussian over 36 of them."""

    mean: Array
    """(36,)"""
    covariance: Array
    """(36, 36)"""


def fit_niqe(pictures: Iterable[FloatArray]) -> NiqeModel:
    """The model of clean pictures (H, W, 3) RGB in 0..1; from each only its sharp patches count.

    Raises ValueError where they hold fewer than 37 sharp patches: their covariance would mean nothing.
    """
    kept = []
    for picture in pictures:
        features, contrast = _patches(picture)
        kept.append(features[contrast > SHARP_SHARE * contrast.max()])
    features = np.concatenate(kept) if kept else np.zeros((0, 36))
    if len(features) < 37:
        raise ValueError(f"a model of natural pictures needs at least 37 sharp patches, got {len(features)}")
    return NiqeModel(mean=features.mean(axis=0), covariance=np.cov(features, rowvar=False))


def niqe(picture: FloatArray, model: NiqeModel) -> float:
    """Distance of a picture (H, W, 3) RGB in 0..1 from natural ones; H and W at least 128 pixels."""
    features, _ = _patches(picture)
    if len(features) < 2:
        raise ValueError(f"NIQE needs pictures of at least {2 * PATCH} pixels, got {picture.shape[:2]}")
    away = features.mean(axis=0) - model.mean
    pooled = (np.cov(features, rowvar=False) + model.covariance) / 2
    return float(np.sqrt(max(away @ np.linalg.pinv(pooled) @ away, 0.0)))


def _patches(picture: FloatArray) -> tuple[Array, Array]:
    """(P, 36) features and (P,) contrast of the patches, at full and at half size."""
    plane = luma(picture) * 255
    contrast: Array = np.zeros(0)
    by_scale = []
    for scale in range(2):
        normal, deviation = _normalised(plane)
        side = PATCH >> scale
        blocks = _blocks(normal, side)
        by_scale.append(np.stack([_features(block) for block in blocks]))
        if scale == 0:
            contrast = _blocks(deviation, side).mean(axis=(1, 2))
            size = (plane.shape[1] // 2, plane.shape[0] // 2)
            plane = np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
    count = min(len(rows) for rows in by_scale)
    return np.concatenate([rows[:count] for rows in by_scale], axis=1), contrast[:count]


def _normalised(plane: Array) -> tuple[Array, Array]:
    """The plane with local mean 0 and deviation 1 (the paper's MSCN coefficients), and the deviation."""
    mean = np.asarray(cv2.GaussianBlur(plane, (7, 7), _SIGMA))
    square = np.asarray(cv2.GaussianBlur(plane * plane, (7, 7), _SIGMA))
    deviation = np.sqrt(np.maximum(square - mean * mean, 0))
    return (plane - mean) / (deviation + 1), deviation


def _blocks(plane: Array, side: int) -> Array:
    """(P, side, side) the blocks that fit, row by row."""
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    cut = plane[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return cut.swapaxes(1, 2).reshape(-1, side, side)


def _features(block: Array) -> list[float]:
    """18 numbers: shape and spread of the coefficients, and of their products with four neighbours."""
    shape, left, right = _asymmetric(block)
    found = [shape, (left + right) / 2]
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        product = block * np.roll(block, (dy, dx), axis=(0, 1))
        shape, left, right = _asymmetric(product)
        mean = (right - left) * gamma(2 / shape) / np.sqrt(gamma(1 / shape) * gamma(3 / shape))
        found += [shape, float(mean), left, right]
    return found


def _asymmetric(values: Array) -> tuple[float, float, float]:
    """Shape, left and right spread of the asymmetric generalised Gaussian with the values' moments."""
    below, above = values[values < 0], values[values > 0]
    left = float(np.sqrt(np.mean(below**2))) if below.size else 0.0
    right = float(np.sqrt(np.mean(above**2))) if above.size else 0.0
    tilt = left / right if right > 0 else 1.0
    energy = float(np.mean(values**2))
    ratio = float(np.mean(np.abs(values))) ** 2 / energy if energy > 0 else 0.0
    ratio *= (tilt**3 + 1) * (tilt + 1) / (tilt**2 + 1) ** 2
    shape = float(_SHAPES[np.argmin((_RATIOS - ratio) ** 2)])
    return shape, left, right
