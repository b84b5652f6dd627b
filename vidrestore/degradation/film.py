"""Damage of old film: lost focus and resolution, grain, dust, hairs, scratches, uneven exposure.

Pictures are (H, W, 3) RGB float32 in 0..1. `scale` is the size of film damage in pixels, 1 for 480 lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from vidrestore.types import FloatArray

Generator = np.random.Generator

LINES = 480
"""Lines of a picture for which the sizes in this file are meant."""
_SCRATCHES_A_FRAME = 0.05
"""New ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """A vertical line that moves slowly and exists for some frames."""

    first: int
    """Its first frame."""
    last: int
    """The frame after its last one."""
    x: float
    drift: float
    """Pixels per frame."""
    phase: float
    strength: float
    """The added light; negative for a dark scratch."""


def degrade_film(pictures: Iterable[FloatArray], rng: Generator) -> Iterator[FloatArray]:
    """The pictures as on an old print. They do not move, so pixels correspond to the clean ones."""
    focus, resolution = rng.uniform(0.8, 1.7), rng.uniform(1.6, 3.2)
    grain, dust = rng.uniform(0.5, 1.5), rng.uniform(0.2, 1.2)
    breath, pumping = 0.0, rng.uniform(0.004, 0.02)
    phase = rng.uniform(0, 2 * np.pi)
    scratches: list[Scratch] = []
    for index, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        scale = height / LINES
        breath = 0.6 * breath + 0.8 * rng.normal(0, 1)
        sigma = scale * (focus + 0.3 * np.sin(index / 17 + phase))
        damaged = soften(picture, sigma, max(scale * resolution, 1.0))
        damaged = damaged * np.float32(1 + pumping * breath)
        damaged = damaged + np.float32(grain) * clumped_grain(rng, damaged, scale)
        damaged = add_dust(rng, damaged, scale, dust)
        scratches = [scratch for scratch in scratches if index < scratch.last]
        if rng.random() < _SCRATCHES_A_FRAME:
            scratches.append(draw_scratch(rng, index, width))
        for scratch in scratches:
            damaged = damaged + scratch_light(rng, scratch, index, (height, width), scale)
        yield np.clip(damaged, 0, 1).astype(np.float32)


def soften(picture: FloatArray, sigma: float, lost_resolution: float) -> FloatArray:
    """A blurred copy.

    Args:
        picture: (H, W, 3).
        sigma: Standard deviation of the defocus [px].
        lost_resolution: Factor by which the resolution is reduced.
    """
    height, width = picture.shape[:2]
    small = (max(round(width / lost_resolution), 1), max(round(height / lost_resolution), 1))
    blurred = cv2.GaussianBlur(picture, (0, 0), sigma)
    shrunk = cv2.resize(blurred, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def clumped_grain(rng: Generator, picture: FloatArray, scale: float = 1.0) -> FloatArray:
    """Grain to add, (H, W, 3), strongest in mid tones and nearly equal in all colours.

    Args:
        rng: The source of random numbers.
        picture: (H, W, 3) in 0..1.
        scale: Size of film damage [px].
    """
    noise = rng.normal(0, 1, picture.shape[:2]).astype(np.float32)
    clumps = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.9 * scale), np.float32)
    clumps = clumps / max(float(clumps.std()), 1e-6)
    luma = np.clip(picture.mean(axis=2), 0, 1)
    strength = 0.016 + 0.07 * luma * (1 - luma)
    return np.asarray((clumps * strength)[..., None] * np.array((1.0, 0.98, 0.92)), np.float32)


def add_dust(rng: Generator, picture: FloatArray, scale: float = 1.0, amount: float = 1.0) -> FloatArray:
    """A copy with dark and bright specks and hairs.

    Args:
        rng: The source of random numbers.
        picture: (H, W, 3) in 0..1.
        scale: Size of film damage [px].
        amount: Factor on their usual number.
    """
    height, width = picture.shape[:2]
    for light, mean_specks, mean_hairs in ((0.05, 3.0, 0.15), (0.95, 1.6, 0.05)):
        cover = np.zeros((height, width), np.uint8)
        for _ in range(rng.poisson(mean_specks * amount)):
            centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
            axes = (_size(rng, scale), _size(rng, scale))
            cv2.ellipse(cover, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
        for _ in range(rng.poisson(mean_hairs * amount)):
            steps = rng.normal(0, 1, (14, 2)).cumsum(axis=0).cumsum(axis=0) * (0.5 * scale)
            hair = steps + rng.uniform(0, (width, height))
            thick = max(round(scale), 1)
            cv2.polylines(cover, [hair.round().astype(np.int32)], False, 230, thick, cv2.LINE_AA)
        opacity = cv2.GaussianBlur(cover, (0, 0), 0.7 * scale).astype(np.float32)[..., None] / 255 * 0.8
        picture = picture + opacity * (np.float32(light) - picture)
    return picture


def draw_scratch(rng: Generator, first: int, width: int) -> Scratch:
    """A random scratch.

    Args:
        rng: The source of random numbers.
        first: Its first frame.
        width: Width of the picture [px].
    """
    return Scratch(
        first=first,
        last=first + int(rng.integers(6, 50)),
        x=float(rng.uniform(20, max(width - 20, 21))),
        drift=float(rng.normal(0, 0.25)),
        phase=float(rng.uniform(0, 6)),
        strength=float(rng.choice((-1, 1)) * rng.uniform(0.1, 0.22)),
    )


def scratch_light(
    rng: Generator, scratch: Scratch, index: int, size: tuple[int, int], scale: float = 1.0
) -> FloatArray:
    """The light of a scratch to add to a frame, (H, W, 3).

    Args:
        rng: The source of random numbers.
        scratch: The scratch.
        index: The frame.
        size: (height, width).
        scale: Size of film damage [px].
    """
    height, width = size
    age = index - scratch.first
    rows = np.arange(height, dtype=np.float32)[:, None]
    middle = (
        scratch.x
        + scratch.drift * age
        + rng.normal(0, 0.3)
        + 0.8 * scale * np.sin(rows / (90 * scale) + scratch.phase)
    )
    columns = np.arange(width, dtype=np.float32)[None]
    line = np.exp(-(((columns - middle) / (0.9 * scale)) ** 2))
    broken = np.clip(0.65 + 0.6 * np.sin(rows / (47 * scale) + scratch.phase + 0.9 * age), 0, 1)
    return (scratch.strength * line * broken)[..., None].astype(np.float32)


def _size(rng: Generator, scale: float) -> int:
    """Half an axis of a speck, pixels."""
    return max(round(int(rng.integers(1, 4)) * scale), 1)
