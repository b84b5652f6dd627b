"""Noise of sensors, film and analogue video, in random strengths and shapes.

Pictures are (H, W, 3) RGB float32 in 0..1. The result is not clipped.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA

Generator = np.random.Generator
_LUMA = np.array(BT601_LUMA, np.float32)


def add_random_noise(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy with noise of a random kind and strength."""
    sigma = float(np.exp(rng.uniform(np.log(1.0), np.log(36)))) / 255
    kind = rng.random()
    if kind < 0.3:
        return add_white_noise(image, sigma, rng)
    if kind < 0.65:
        return add_correlated_noise(image, 0.8 * sigma, rng)
    if kind < 0.8:
        return add_signal_noise(image, sigma, rng)
    if kind < 0.9:
        return _add_line_noise(image, 0.5 * sigma, rng)
    return _add_chroma_noise(image, sigma, rng)


def add_white_noise(
    image: NDArray[Any], sigma: float, rng: Generator, *, colour: float | None = None
) -> NDArray[Any]:
    """A copy with uncorrelated Gaussian noise.

    Args:
        image: (H, W, 3) RGB in 0..1.
        sigma: Standard deviation.
        rng: The source of random numbers.
        colour: Share of the noise that differs between channels, 0..1; None: random.
    """
    spread = rng.choice([0.0, 1.0, rng.uniform(0, 1)]) if colour is None else colour
    shape = image.shape[:2]
    noise = rng.standard_normal((*shape, 1), dtype=np.float32) * np.float32(np.sqrt(1 - spread**2))
    if spread:
        noise = noise + np.float32(spread) * rng.standard_normal((*shape, 3), dtype=np.float32)
    return np.asarray(image + np.float32(sigma) * noise)


def add_correlated_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """A copy with noise that is correlated between pixels: grain, blotches, streaks along the lines.

    Args:
        image: (H, W, 3) RGB in 0..1.
        sigma: Standard deviation.
        rng: The source of random numbers.
    """
    spread = rng.choice([0.0, 0.3, 1.0])
    noise = rng.standard_normal((*image.shape[:2], 3), dtype=np.float32)
    along, across = np.exp(rng.uniform(np.log(0.35), np.log(2.5), 2))
    if rng.random() < 0.3:
        across = 0.01
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=along, sigmaY=across))
    if rng.random() < 0.3:  # a recorder that sharpens also sharpens its own noise
        noise = noise + rng.uniform(0.5, 2) * (noise - np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5)))
    noise = spread * noise + (1 - spread) * noise.mean(axis=2, keepdims=True)
    noise *= sigma / max(float(noise.std()), 1e-6)
    if rng.random() < 0.5:  # grain is strongest at mid grey
        luma = (image @ _LUMA)[..., None].clip(0, 1)
        noise = noise * (0.35 + 2.6 * luma * (1 - luma))
    return np.asarray(image + noise)


def add_signal_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """A copy with a sensor's noise: its variance grows with brightness; channels are independent.

    Args:
        image: (H, W, 3) RGB in 0..1.
        sigma: Standard deviation where brightness is 0.92.
        rng: The source of random numbers.
    """
    level = np.sqrt(0.08 + np.clip(image, 0, 1))
    return np.asarray(image + np.float32(sigma) * level * rng.standard_normal(image.shape, dtype=np.float32))


def _add_line_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """A copy in which each line, or each part of a line, is a little brighter or darker."""
    height, width = image.shape[:2]
    parts = int(rng.choice([1, 1, 3, 8]))
    noise = sigma * rng.standard_normal((height, parts), dtype=np.float32)
    stretched = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        stretched = np.asarray(stretched).T[:height, :width] if height == width else stretched
    return add_white_noise(image + np.asarray(stretched)[..., None], 0.5 * sigma, rng)


def _add_chroma_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """A copy with blotches of colour, and with less noise in luma."""
    noise = rng.standard_normal((*image.shape[:2], 3), dtype=np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.8, 4)))
    noise -= (noise @ _LUMA)[..., None]
    noise *= sigma / max(float(noise.std()), 1e-6)
    return add_white_noise(image + noise, sigma * rng.uniform(0, 0.5), rng, colour=0.0)
