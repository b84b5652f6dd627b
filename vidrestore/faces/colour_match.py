"""A generated face with the footage's own brightness and colour."""

from __future__ import annotations

import cv2
import numpy as np

from vidrestore.faces.grain import LUMA
from vidrestore.types import FloatArray

LOW_FREQUENCY = 1 / 16
"""Standard deviation, as a fraction of the crop's side, below which colour is the original's."""
_OPPONENT = np.array([[1.0, -1.0, 0.0], [-0.5, -0.5, 1.0], [0.0, 0.0, 0.0]])
"""Red less green, and blue less yellow, of RGB; and nothing, as OpenCV is far quicker from three to three."""
_SHRINK = 4
"""By which pictures are smaller where only their low frequencies are wanted."""


def match_colour(restored: FloatArray, original: FloatArray) -> FloatArray:
    """`restored` (S, S, 3) with the low frequencies of `original`, and no more colour in its detail.

    Brightness and colour over areas larger than an eye are the film's own; a grey film gets grey detail.
    """
    sigma = LOW_FREQUENCY * restored.shape[0]
    share = min(1.0, _chroma_spread(original) / (_chroma_spread(restored) + 1e-6))
    towards_grey = share * np.eye(3) + (1 - share) * LUMA
    coloured = np.asarray(cv2.transform(restored, towards_grey), np.float32)
    # Taking low frequencies is linear: those of the one less those of the other.
    return np.clip(coloured + low_frequencies(original - coloured, sigma), 0, 1)


def low_frequencies(image: FloatArray, sigma: float) -> FloatArray:
    """`image` (S, S, 3) under a Gaussian of that many pixels, on a quarter of the side where that is enough.

    At its own size this took longer than everything else that is done to lay a face back.
    """
    size = image.shape[0]
    if sigma < 2 * _SHRINK or size % _SHRINK:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)
    small = cv2.resize(image, (size // _SHRINK, size // _SHRINK), interpolation=cv2.INTER_AREA)
    # Shrinking averages over a square and growing over a triangle; the Gaussian does the rest.
    rest = np.sqrt(sigma**2 - (_SHRINK**2 - 1) / 12 - _SHRINK**2 / 6) / _SHRINK
    soft = cv2.GaussianBlur(small, (0, 0), float(rest), borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _chroma_spread(image: FloatArray) -> float:
    """How far colours spread around their mean colour cast."""
    # A quarter of the pixels says the same.
    some = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
    return float(np.linalg.norm(cv2.meanStdDev(cv2.transform(some, _OPPONENT))[1]))
