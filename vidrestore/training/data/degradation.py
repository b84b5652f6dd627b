"""The synthetic degradation of the DAEFR specification (docs/daefr.md, "Degradation")."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.training.config import DegradationConfig
from vidrestore.types import FloatArray


def degrade(clean: FloatArray, config: DegradationConfig, rng: np.random.Generator) -> FloatArray:
    """A degraded copy: blurred, downscaled, with noise, after JPEG, enlarged, in steps of 1/255.

    Args:
        clean: (H, W, 3) in 0..1.
        config: Ranges of the parameters.
        rng: The source of random numbers.
    """
    height, width = clean.shape[:2]
    kernel = blur_kernel(
        radius=int(rng.integers(config.kernel_radius[0], config.kernel_radius[1] + 1)),
        sigma=(rng.uniform(*config.blur_sigma), rng.uniform(*config.blur_sigma)),
        angle=rng.uniform(-np.pi, np.pi),
        isotropic=rng.random() < 0.5,
    )
    image: NDArray[Any] = cv2.filter2D(clean, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    factor = rng.uniform(*config.downsample)
    small = (max(round(width / factor), 2), max(round(height / factor), 2))
    image = cv2.resize(image, small, interpolation=cv2.INTER_LINEAR)
    sigma = rng.uniform(*config.noise) / 255.0
    image = image + sigma * rng.standard_normal(image.shape, dtype=np.float32)
    image = jpeg(np.clip(image, 0, 1), int(rng.integers(config.jpeg[0], config.jpeg[1] + 1)))
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return (np.round(np.clip(image, 0, 1) * 255) / 255).astype(np.float32)


def blur_kernel(*, radius: int, sigma: tuple[float, float], angle: float, isotropic: bool) -> FloatArray:
    """A Gaussian kernel; its sum is 1.

    Args:
        radius: The kernel has 2 radius + 1 pixels on each side.
        sigma: Standard deviations along two axes [px].
        angle: Rotation of these axes [rad].
        isotropic: Whether to use the first standard deviation for both axes.
    """
    sx, sy = (sigma[0], sigma[0]) if isotropic else sigma
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    u = np.cos(angle) * x + np.sin(angle) * y
    v = -np.sin(angle) * x + np.cos(angle) * y
    kernel = np.exp(-0.5 * ((u / sx) ** 2 + (v / sy) ** 2))
    return (kernel / kernel.sum()).astype(np.float32)


def jpeg(image: FloatArray, quality: int) -> FloatArray:
    """A copy of `image`, (H, W, 3) RGB in 0..1, after JPEG with this quality, 0..100."""
    codes = np.round(image[:, :, ::-1] * 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert decoded is not None, "OpenCV could not read what it wrote"
    return decoded[:, :, ::-1].astype(np.float32) / 255.0
