"""Blur of lenses and of motion, in random shapes and sizes.

Pictures are (H, W, 3) RGB float32 in 0..1.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.training.data.degradation import blur_kernel
from vidrestore.types import FloatArray

Generator = np.random.Generator


def blur_slightly(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy with a blur of about one pixel: Gaussian, defocus or motion."""
    kind = rng.random()
    if kind < 0.5:
        sigma = rng.uniform(0.35, 1.5)
        aspect = rng.choice([1.0, 1.0, rng.uniform(0.5, 2)])
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigmaX=sigma, sigmaY=sigma * aspect))
    kernel = (
        disc_kernel(rng.uniform(0.5, 1.8))
        if kind < 0.8
        else streak_kernel(rng.uniform(1.2, 4), rng.uniform(0, np.pi))
    )
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def blur_strongly(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy with a blur of up to a few pixels: Gaussian, defocus or motion."""
    kind = rng.random()
    if kind < 0.3:
        return np.asarray(
            cv2.GaussianBlur(image, (0, 0), float(np.exp(rng.uniform(np.log(0.3), np.log(4.5)))))
        )
    if kind < 0.5:
        largest = float(np.exp(rng.uniform(np.log(0.6), np.log(5))))
        sigma = (largest, largest * rng.uniform(0.2, 1))
        kernel = blur_kernel(
            radius=int(np.ceil(3 * largest)), sigma=sigma, angle=rng.uniform(-np.pi, np.pi), isotropic=False
        )
    elif kind < 0.75:
        kernel = disc_kernel(float(np.exp(rng.uniform(np.log(0.5), np.log(6)))))
    else:
        kernel = streak_kernel(rng.uniform(1.5, 12), rng.uniform(0, np.pi))
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def disc_kernel(radius: float) -> FloatArray:
    """The kernel of a defocused lens; its sum is 1. `radius` in pixels."""
    r = int(np.ceil(radius))
    y, x = np.mgrid[-r : r + 1, -r : r + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def streak_kernel(length: float, angle: float) -> FloatArray:
    """The kernel of a straight motion; its sum is 1. `length` in pixels, `angle` in radians."""
    r = int(np.ceil(length / 2))
    y, x = np.mgrid[-r : r + 1, -r : r + 1]
    along, across = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
    kernel = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)
