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
    """A copy as from tape: blurred and shifted chroma, blurred luma, ringing, shifted lines."""
    height = image.shape[0]
    luma = (image @ _LUMA)[..., None]
    chroma = image - luma
    chroma = np.asarray(
        cv2.GaussianBlur(chroma, (0, 0), sigmaX=rng.uniform(0.8, 5), sigmaY=rng.uniform(0.2, 1.2))
    )
    if rng.random() < 0.6:
        chroma = np.roll(chroma, tuple(int(v) for v in rng.integers(-1, 4, 2)), (0, 1))
    if rng.random() < 0.6:
        blurred = np.asarray(cv2.GaussianBlur(luma, (0, 0), sigmaX=rng.uniform(0.5, 1.6), sigmaY=0.01))
        soft: NDArray[Any] = blurred[..., None]
        if rng.random() < 0.6:
            wide = cv2.GaussianBlur(soft, (0, 0), sigmaX=rng.uniform(1.5, 3), sigmaY=0.01)
            soft = np.asarray(soft + rng.uniform(0.3, 1.8) * (soft - np.asarray(wide)[..., None]), np.float32)
        luma = soft
    image = luma + chroma
    if rng.random() < 0.35:
        shift = np.asarray(rng.uniform(0.1, 0.7) * rng.standard_normal((height, 1)), np.float32)
        image = shift_lines(image, shift)
    if rng.random() < 0.25:
        return tape(np.asarray(image, np.float32), rng)
    return add_correlated_noise(np.asarray(image, np.float32), rng.uniform(0, 14) / 255, rng)


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
