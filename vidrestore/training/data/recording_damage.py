"""Damage by recorders, film and scanning: one function for each kind.

Pictures are (H, W, 3) RGB float32 in 0..1. The result is not clipped.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.training.data.footage_degradation import comb, shift_lines, tape, wear
from vidrestore.training.data.noise import add_correlated_noise

Generator = np.random.Generator
_LUMA = np.array(BT601_LUMA, np.float32)


def degrade_as_analogue_video(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy as from tape: blurred and shifted chroma, blurred luma, ringing, shifted lines, noise."""
    size = float(np.exp(rng.uniform(np.log(0.6), np.log(2))))  # of a line's blur: 2 for tape enlarged to HD
    luma = (image @ _LUMA)[..., None]
    chroma = _limit_chroma(image - luma, size, rng)
    if rng.random() < 0.7:
        luma = _limit_luma(luma, size, rng)
    image = luma + chroma
    if rng.random() < 0.5:
        spread = np.float32(rng.uniform(0.1, 0.6) * size)
        image = shift_lines(image, spread * rng.standard_normal((image.shape[0], 1), dtype=np.float32))
    kind = rng.random()
    if kind < 0.15:
        return tape(np.asarray(image, np.float32), rng)
    if kind < 0.45:
        return add_correlated_noise(np.asarray(image, np.float32), rng.uniform(0, 14) / 255, rng)
    return _add_tape_noise(image, size, rng)


def _limit_chroma(chroma: NDArray[Any], size: float, rng: Generator) -> NDArray[Any]:
    """A copy that is blurred along the lines, and often shifted against luma."""
    height, width = chroma.shape[:2]
    along, across = rng.uniform(0.8, 6) * size, rng.uniform(0.2, 1.0) * size
    blurred = np.asarray(cv2.GaussianBlur(chroma, (0, 0), sigmaX=along, sigmaY=across), np.float32)
    if rng.random() < 0.3:
        return blurred
    shift = np.array([[1, 0, rng.uniform(-0.5, 3) * size], [0, 1, rng.uniform(-0.5, 1) * size]])
    return np.asarray(cv2.warpAffine(blurred, shift, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _limit_luma(luma: NDArray[Any], size: float, rng: Generator) -> NDArray[Any]:
    """A copy that is blurred along the lines, and often sharpened as by a recorder."""
    blur = rng.uniform(0.4, 1.6) * size
    soft = np.asarray(cv2.GaussianBlur(luma, (0, 0), sigmaX=blur, sigmaY=0.01), np.float32)
    if rng.random() < 0.75:
        wide = np.asarray(cv2.GaussianBlur(soft, (0, 0), sigmaX=rng.uniform(1.4, 3) * blur, sigmaY=0.01))
        soft = soft + np.float32(rng.uniform(0.2, 1.8)) * (soft - wide)
    return np.asarray(soft)[..., None]


def _add_tape_noise(image: NDArray[Any], size: float, rng: Generator) -> NDArray[Any]:
    """A copy with fine noise in luma, and with streaks of colour, of which each line has its own."""
    height, width = image.shape[:2]
    noise = []
    for along, channels in ((rng.uniform(0.3, 1.5), 1), (rng.uniform(1, 4), 3)):
        drawn = rng.standard_normal((height, width, channels), dtype=np.float32)
        blurred = np.asarray(cv2.GaussianBlur(drawn, (0, 0), sigmaX=along * size, sigmaY=0.01))
        blurred = blurred.reshape(drawn.shape)
        noise.append(blurred * (rng.uniform(0, 12) / 255 / max(float(blurred.std()), 1e-6)))
    colour = noise[1] - (noise[1] @ _LUMA)[..., None]
    return np.asarray(image + noise[0] + colour)


def sharpen(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy after an unsharp mask, with its halos."""
    soft = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2.2)))
    return np.asarray(image + rng.uniform(0.3, 1.8) * (image - soft))


def wear_film(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy with scratches and dust."""
    return wear(image, rng)


def interlace(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy of two fields, between which the picture has moved."""
    return comb(image, rng.uniform(0.002, 0.02), rng)


def add_dropouts(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy with lost parts of lines, and sometimes single wrong pixels."""
    height, width = image.shape[:2]
    image = image.copy()
    for _ in range(int(rng.integers(1, 7))):
        row, first = int(rng.integers(0, height)), int(rng.integers(0, width))
        last = first + int(rng.exponential(0.2 * width)) + 1
        image[row, first:last] = rng.random() if rng.random() < 0.6 else image[row - 1, first:last]
    if rng.random() < 0.4:
        wrong = rng.random((height, width)) < rng.uniform(0.0005, 0.01)
        image[wrong] = rng.random((int(wrong.sum()), 1)).round()
    return image
