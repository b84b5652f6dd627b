"""Degradation as in real footage: worn film, tape, broadcasts and phone clips.

The recipe of the specification is blur, noise and JPEG. Real footage also has tone, grain, wear, fields and
video codecs, in the order of its history: the film print, its scan, its copies. Sizes are fractions of the
face's side, so that the recipe has the same effect at 256 and at 512 pixels.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.training.data.blur import disc_kernel, streak_kernel
from vidrestore.training.data.degradation import jpeg
from vidrestore.types import FloatArray
from vidrestore.video.h264_round_trip import h264_still

Generator = np.random.Generator
_KERNELS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_LUMA = np.array(BT601_LUMA, np.float32)


def degrade_as_film(clean: FloatArray, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """The target and its copy as on old film, both of the size and range of `clean`.

    The target has the tone of the film (grey, faded), because the network shall not change colours. The copy
    is in steps of 1/255.

    Args:
        clean: (H, W, 3) RGB in 0..1.
        rng: The source of random numbers.
    """
    target = _tone(clean, rng)
    height, width = target.shape[:2]
    image = _blur(target, rng)
    if rng.random() < 0.85:
        image = _resize_down(image, rng.uniform(1.0, 7.0) if rng.random() < 0.7 else 1.5, rng)
    if rng.random() < 0.7:
        strength, grain_size, colour = rng.uniform(0.01, 0.11), rng.uniform(0.4, 1.2), rng.random() > 0.6
        image = grain(image, strength, grain_size, rng, colour=colour)
    if rng.random() < 0.3:
        image = wear(image, rng)
    if rng.random() < 0.25:
        image = tape(image, rng)
    if rng.random() < 0.15:
        image = comb(image, rng.uniform(0.004, 0.03), rng)
    image = _compress(np.clip(image, 0, 1).astype(np.float32), rng)
    kernel = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)))
    grown = np.asarray(cv2.resize(image, (width, height), interpolation=kernel)).clip(0, 1)
    return target, (np.round(grown * 255) / 255).astype(np.float32)


def degrade_as_broadcast(clean: FloatArray, rng: Generator) -> FloatArray:
    """A copy as in phone clips and old streams: a small face at a very low bit rate.

    There is hardly any noise, but blocks, blur and ringing in place of lashes and teeth. Often the picture
    was compressed twice, with different positions of the blocks.

    Args:
        clean: (H, W, 3) RGB in 0..1.
        rng: The source of random numbers.

    Returns:
        An array like `clean`, in steps of 1/255.
    """
    height, width = clean.shape[:2]
    image = np.asarray(cv2.GaussianBlur(clean, (0, 0), rng.uniform(0.1, 0.006 * width)))
    if rng.random() < 0.3:
        image = image + rng.uniform(0.2, 1.0) * (image - cv2.GaussianBlur(image, (0, 0), 0.008 * width))
    image = _resize_down(image, float(np.exp(rng.uniform(np.log(1.3), np.log(7.0)))), rng)
    for _ in range(2 if rng.random() < 0.5 else 1):
        shift = tuple(int(v) for v in rng.integers(0, 8, 2))
        quality = int(rng.integers(24, 39))
        moved = np.asarray(np.roll(image, shift, (0, 1)).clip(0, 1), np.float32)
        coded = h264_still(moved, crf=quality) if rng.random() < 0.85 else jpeg(moved, 95 - 2 * quality)
        image = np.roll(coded, (-shift[0], -shift[1]), (0, 1))
    kernel = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)))
    grown = np.asarray(cv2.resize(image, (width, height), interpolation=kernel)).clip(0, 1)
    return (np.round(grown * 255) / 255).astype(np.float32)


def grain(
    image: NDArray[Any], strength: float, size: float, rng: Generator, *, colour: bool = False
) -> NDArray[Any]:
    """A copy with film grain, which is weaker in black and white than in mid grey.

    Args:
        image: (H, W, 3) RGB in 0..1.
        strength: Standard deviation at mid grey.
        size: Standard deviation of the Gaussian that blurs the noise [px].
        rng: The source of random numbers.
        colour: Whether grain has colour; a grey picture always gets grey grain.
    """
    spread = 0.5 * _colourfulness(image) if colour else 0.0
    noise = _noise(image.shape[:2], spread, (size, size), rng) * strength
    luma = (image @ _LUMA)[..., None].clip(0, 1)
    return np.asarray(image + noise * (0.35 + 2.6 * luma * (1 - luma)))


def wear(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy with scratches and dust, bright or dark."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(0, 4))):
        x = rng.uniform(0, width) + np.cumsum(rng.normal(0, 0.15, height))
        points = np.stack([x, np.arange(height)], axis=1).round().astype(np.int32)
        first, last = sorted(rng.integers(0, height + 1, 2)) if rng.random() < 0.5 else (0, height)
        cv2.polylines(mask, [points[first:last]], False, float(rng.uniform(0.2, 0.8)), 1, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 7))):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = tuple(max(int(v), 1) for v in rng.exponential(0.012 * width, 2))
        angle, dense = float(rng.uniform(0, 180)), float(rng.uniform(0.4, 1.0))
        cv2.ellipse(mask, centre, axes, angle, 0, 360, dense, -1, cv2.LINE_AA)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.5))[..., None]
    shade = 0.95 if rng.random() < 0.6 else 0.05
    return np.asarray(image * (1 - soft) + shade * soft)


def tape(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy as from tape: blurred and shifted chroma, shifted lines, noise along the lines."""
    height, width = image.shape[:2]
    luma = (image @ _LUMA)[..., None]
    chroma = image - luma
    bled = cv2.GaussianBlur(chroma, (0, 0), sigmaX=rng.uniform(0.01, 0.035) * width, sigmaY=0.7)
    chroma = np.roll(bled, int(rng.integers(0, max(round(0.02 * width), 1) + 1)), axis=1)
    noise = _noise((height, width), 0.3 * _colourfulness(image), (2.0, 0.01), rng)
    image = luma + chroma + rng.uniform(0.01, 0.05) * noise
    if rng.random() < 0.5:
        shift = np.asarray(rng.uniform(0.2, 0.8) * rng.standard_normal((height, 1)), np.float32)
        image = shift_lines(image, shift)
    return np.asarray(image)


def shift_lines(image: NDArray[Any], shift: FloatArray) -> FloatArray:
    """The image (H, W, C) with each line taken `shift` (H, 1) pixels further to the right."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    shifted = cv2.remap(
        np.ascontiguousarray(image, np.float32),
        x + shift,
        y,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(shifted, np.float32)


def comb(image: NDArray[Any], motion: float, rng: Generator) -> NDArray[Any]:
    """A frame of two fields, between which the face has moved sideways.

    Args:
        image: (H, W, 3) RGB in 0..1.
        motion: The shift between the fields, as a fraction of the width.
        rng: The source of random numbers, for the direction.
    """
    shift = motion * image.shape[1] * (1 if rng.random() < 0.5 else -1)
    moved = cv2.warpAffine(
        np.ascontiguousarray(image, np.float32),
        np.array([[1, 0, shift], [0, 1, 0]]),
        (image.shape[1], image.shape[0]),
        borderMode=cv2.BORDER_REPLICATE,
    )
    woven = image.copy()
    woven[1::2] = moved[1::2]
    return woven


def _noise(shape: tuple[int, ...], spread: float, sigma: tuple[float, float], rng: Generator) -> NDArray[Any]:
    """Gaussian noise (H, W, 3) with standard deviation 1, blurred by `sigma` (x, y) [px].

    `spread`: share of the noise that differs between channels, 0..1.
    """
    noise = rng.standard_normal((*shape, 3), dtype=np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma[0], sigmaY=sigma[1]))
    noise = noise * spread + noise.mean(axis=2, keepdims=True) * (1 - spread)
    return np.asarray(noise / max(float(noise.std()), 1e-6))


def _tone(clean: FloatArray, rng: Generator) -> FloatArray:
    """A copy in black and white, with a colour cast, or unchanged in colour; with reduced contrast."""
    grey = (clean @ _LUMA)[..., None]
    kind = rng.random()
    saturation = 0.0 if kind < 0.4 else rng.uniform(0.3, 0.9) if kind < 0.75 else 1.0
    image = grey + saturation * (clean - grey)
    if kind < 0.75 and rng.random() < 0.3:
        image = image * (1 + rng.uniform(-0.12, 0.12, 3))  # sepia, or the magenta of old colour film
    black, white = rng.uniform(0, 0.12), rng.uniform(0.85, 1.0)
    image = np.clip(image, 0, 1) ** rng.uniform(0.8, 1.25)
    return (black + (white - black) * image).clip(0, 1).astype(np.float32)


def _blur(image: FloatArray, rng: Generator) -> NDArray[Any]:
    """A copy with a blur by defocus, motion or a soft lens of a few hundredths of the face."""
    size = image.shape[1]
    kind = rng.random()
    if kind < 0.4:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.1, 0.012 * size)))
    if kind < 0.65:
        radius = rng.uniform(0.5, 0.018 * size)
        kernel = disc_kernel(radius)
    elif kind < 0.9:
        kernel = streak_kernel(rng.uniform(1.5, 0.04 * size), rng.uniform(0, np.pi))
    else:
        return image
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def _resize_down(image: NDArray[Any], factor: float, rng: Generator) -> NDArray[Any]:
    side = max(round(image.shape[1] / factor), 16)
    size = (side, max(round(image.shape[0] * side / image.shape[1]), 16))
    return np.asarray(cv2.resize(image, size, interpolation=int(rng.choice(_KERNELS))))


def _compress(image: FloatArray, rng: Generator) -> FloatArray:
    kind = rng.random()
    if kind < 0.4:
        return h264_still(image, crf=int(rng.integers(18, 38)))
    if kind < 0.6:
        return jpeg(image, int(rng.integers(25, 95)))
    return image  # scans of film are hardly compressed


def _colourfulness(image: NDArray[Any]) -> float:
    """0 for a grey picture, 1 for one with clear colours, and values between."""
    return float(np.clip(np.ptp(image, axis=2).mean() / 0.02, 0, 1))
