"""Damage of analogue tape: blurred lines with ringing, shifted chroma, noise, jitter, dropouts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.types import FloatArray

Generator = np.random.Generator
_LUMA = np.array(BT601_LUMA, np.float32)
_LINES = 480
"""Lines of a picture for which the sizes in this file are meant."""


def degrade_tape(pictures: Iterable[FloatArray], rng: Generator) -> Iterator[FloatArray]:
    """The pictures as from an old tape."""
    soft, ring = rng.uniform(0.7, 1.6), rng.uniform(0.3, 1.2)
    bleed, lag = rng.uniform(2, 6), rng.uniform(0, 3)
    noise, colour_noise = rng.uniform(0.012, 0.04), rng.uniform(0.01, 0.04)
    jitter, dropouts = rng.uniform(0.1, 0.5), rng.uniform(0.1, 1.0)
    for picture in pictures:
        scale = picture.shape[0] / _LINES
        luma = (picture @ _LUMA)[..., None]
        chroma = picture - luma
        luma = _limit_band(luma, soft * scale, ring)
        luma = luma + noise * _noise(rng, (*picture.shape[:2], 1), along=1.0 * scale)
        chroma = cv2.GaussianBlur(chroma, (0, 0), sigmaX=bleed * scale, sigmaY=0.8 * scale)
        chroma = _shift_right(np.asarray(chroma, np.float32), lag * scale)
        speckle = _noise(rng, picture.shape, along=3.0 * scale)
        chroma = chroma + colour_noise * (speckle - (speckle @ _LUMA)[..., None])
        damaged = _move_lines(rng, (luma + chroma).astype(np.float32), jitter * scale)
        yield np.clip(_drop_out(rng, damaged, dropouts, scale), 0, 1).astype(np.float32)


def _limit_band(luma: FloatArray, sigma: float, ring: float) -> FloatArray:
    """Luma that is blurred along the lines and then sharpened, with overshoot at edges, as by recorders."""
    soft = np.asarray(cv2.GaussianBlur(luma, (0, 0), sigmaX=sigma, sigmaY=0.01))
    wide = np.asarray(cv2.GaussianBlur(soft, (0, 0), sigmaX=2 * sigma, sigmaY=0.01))
    return np.asarray(soft + ring * (soft - wide), np.float32)[..., None]


def _noise(rng: Generator, shape: tuple[int, ...], along: float) -> FloatArray:
    """Noise with standard deviation 1, correlated over `along` pixels along the lines."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    drawn = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=max(along, 0.3), sigmaY=0.01), np.float32)
    return np.asarray(drawn.reshape(shape) / max(float(drawn.std()), 1e-6), np.float32)


def _shift_right(picture: FloatArray, pixels: float) -> FloatArray:
    height, width = picture.shape[:2]
    matrix = np.array([[1, 0, pixels], [0, 1, 0]])
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _move_lines(rng: Generator, picture: FloatArray, pixels: float) -> FloatArray:
    """A copy in which each line is shifted slightly."""
    height, width = picture.shape[:2]
    shift = (pixels * rng.standard_normal((height, 1))).astype(np.float32)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(picture, x + shift, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _drop_out(rng: Generator, picture: FloatArray, amount: float, scale: float) -> FloatArray:
    """A copy with lost parts of lines, which are white or repeat the line above."""
    height, width = picture.shape[:2]
    for _ in range(rng.poisson(amount)):
        row, left = int(rng.integers(1, height)), int(rng.integers(0, width))
        right = left + int(rng.exponential(60 * scale)) + 2
        is_white = rng.random() < 0.5
        picture[row, left:right] = 0.9 if is_white else picture[row - 1, left:right]
    return picture
