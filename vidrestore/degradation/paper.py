"""The published degradation of face restoration: blur, downsampling, noise, JPEG, and back to size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vidrestore.training.config import DegradationConfig
from vidrestore.training.data.degradation import degrade
from vidrestore.types import FloatArray

RANGES = DegradationConfig(
    blur_sigma=(0.1, 15.0), kernel_radius=(19, 20), downsample=(0.8, 30.0), noise=(0, 20), jpeg=(30, 100)
)
"""The ranges of the published stage three, for aligned faces of 512 pixels."""


def degrade_as_published(pictures: Iterable[FloatArray], rng: np.random.Generator) -> Iterator[FloatArray]:
    """The pictures after the published degradation. All frames get the same values, but other noise.

    A single picture may get an anisotropic blur, as published; a video gets an isotropic one, so that it does
    not change between frames.
    """
    numbered = iter(pictures)
    first, second = next(numbered, None), next(numbered, None)
    if first is None:
        return
    if second is None:
        yield degrade(first.astype(np.float32), RANGES, rng)
        return
    chosen = _one_of(RANGES, rng)
    for picture in (first, second):
        yield degrade(picture, chosen, rng)
    for picture in numbered:
        yield degrade(picture, chosen, rng)


def _one_of(ranges: DegradationConfig, rng: np.random.Generator) -> DegradationConfig:
    """Ranges that contain a single random value from `ranges`."""
    sigma, factor, noise = (rng.uniform(*r) for r in (ranges.blur_sigma, ranges.downsample, ranges.noise))
    radius = int(rng.integers(ranges.kernel_radius[0], ranges.kernel_radius[1] + 1))
    quality = int(rng.integers(ranges.jpeg[0], ranges.jpeg[1] + 1))
    return DegradationConfig(
        blur_sigma=(sigma, sigma),
        kernel_radius=(radius, radius),
        downsample=(factor, factor),
        noise=(noise, noise),
        jpeg=(quality, quality),
    )
