"""Gives a drawn face the brightness and colour of the footage."""

from __future__ import annotations

import cv2
import numpy as np

from vidrestore.faces.grain import LUMA
from vidrestore.types import FloatArray

LOW_FREQUENCY = 1 / 16
"""Standard deviation of the low-pass for brightness and colour, as a fraction of the crop's side."""
_OPPONENT = np.array([[1.0, -1.0, 0.0], [-0.5, -0.5, 1.0], [0.0, 0.0, 0.0]])
"""Red minus green, blue minus yellow, and zero: OpenCV is much faster from three channels to three."""
SHRINK = 4
"""Factor by which pictures are reduced for their low frequencies."""


def match_colour(restored: FloatArray, original: FloatArray) -> FloatArray:
    """`restored` (S, S, 3) with the low frequencies of `original`, and with no more colour in its detail.

    Areas larger than an eye keep the brightness and colour of the footage. Grey footage gets grey detail.
    """
    sigma = LOW_FREQUENCY * restored.shape[0]
    share = min(1.0, _chroma_spread(original) / (_chroma_spread(restored) + 1e-6))
    towards_grey = share * np.eye(3) + (1 - share) * LUMA
    coloured = np.asarray(cv2.transform(restored, towards_grey), np.float32)
    # A low-pass is linear: it is applied to the difference.
    return np.clip(coloured + low_frequencies(original - coloured, sigma), 0, 1)


def low_frequencies(image: FloatArray, sigma: float) -> FloatArray:
    """`image` (S, S, 3) after a Gaussian with standard deviation `sigma` [px].

    It is computed on a smaller copy if possible. At full size it took longer than the rest of compositing.
    """
    size = image.shape[0]
    if sigma < 2 * SHRINK or size % SHRINK:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)
    small = cv2.resize(image, (size // SHRINK, size // SHRINK), interpolation=cv2.INTER_AREA)
    # Reducing averages over a square, enlarging over a triangle; the Gaussian adds the rest.
    rest = np.sqrt(sigma**2 - (SHRINK**2 - 1) / 12 - SHRINK**2 / 6) / SHRINK
    soft = cv2.GaussianBlur(small, (0, 0), float(rest), borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _chroma_spread(image: FloatArray) -> float:
    """The spread of colours around their mean."""
    # A quarter of the pixels is enough.
    some = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
    return float(np.linalg.norm(cv2.meanStdDev(cv2.transform(some, _OPPONENT))[1]))
