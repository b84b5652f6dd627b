"""Gives a drawn face the brightness and colour of the footage, on the device: `faces.colour_match`."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from vidrestore.faces.colour_match import LOW_FREQUENCY, SHRINK
from vidrestore.restoration.tensor_pictures.filters import gaussian_of
from vidrestore.restoration.tensor_pictures.luma import luma
from vidrestore.restoration.tensor_pictures.resampling import average_areas, enlarge_linear


def match_colour(restored: Tensor, original: Tensor) -> Tensor:
    """`restored` (3, S, S) with the low frequencies of `original`, and with no more colour in its detail."""
    share = (_chroma_spread(original) / (_chroma_spread(restored) + 1e-6)).clamp(max=1)
    coloured = share * restored + (1 - share) * luma(restored)
    return (coloured + _low_frequencies(original - coloured)).clamp(0, 1)


def _low_frequencies(image: Tensor) -> Tensor:
    """`colour_match.low_frequencies` of (3, S, S)."""
    size = image.shape[-1]
    sigma = LOW_FREQUENCY * size
    if sigma < 2 * SHRINK or size % SHRINK:
        return gaussian_of(image[None], sigma)[0]
    small = average_areas(image[None], size // SHRINK)
    rest = float(np.sqrt(sigma**2 - (SHRINK**2 - 1) / 12 - SHRINK**2 / 6)) / SHRINK
    return enlarge_linear(gaussian_of(small, rest), size)[0]


def _chroma_spread(image: Tensor) -> Tensor:
    """The spread of colours around their mean, a scalar on the device."""
    red, green, blue = image[:, ::2, ::2]
    spread = (red - green).var(correction=0) + (blue - 0.5 * (red + green)).var(correction=0)
    return spread.sqrt()
