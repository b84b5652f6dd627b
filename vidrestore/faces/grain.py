"""A face's grain: what of it is finer than its features and no stronger than noise.

A restored face is free of grain. In a picture that is full of it, it looks as if cut out of another one. What
is kept here is the film's very own grain, so its size, strength and colour are right, and so is that it is
another in every frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

FINEST_FEATURE = 1 / 64
"""Standard deviation of the Gaussian that leaves no grain, of the crop's side: an iris is four times as
wide."""
LARGEST = 2.5
"""Standard deviations of the grain: a scratch, a speck of dust, an edge is more than that, and cut off."""
AUTO_GRAIN = 0.2
"""Share of the grain that stays on a face by default: the wide feather hides the rest of the difference."""
LUMA = np.array([[0.299, 0.587, 0.114]])
_MAD = 1.4826
"""Standard deviation of a normal distribution over its median distance from the middle."""


def extract_grain(film: FloatArray, clean: FloatArray, mask: FloatArray) -> FloatArray:
    """(S, S, 3) about zero: the grain of the aligned face `film` (S, S, 3), which `clean` shows without it.

    Next to nothing in footage without grain, and nothing where `clean` is the film itself. Its strength is
    measured where `mask` (S, S) shows the face.
    """
    fine, shown = _fine(film), mask > 0.5
    # Blurred as they are in the film, the face's own lines are fine detail as well; twice they would be too
    # strong.
    lines = _fine(clean)
    share = _share(_luma(fine), _luma(lines), _strength(fine, shown))
    grain = fine - cv2.multiply(lines, cv2.merge([share] * 3))
    limit = float(LARGEST * _strength(grain, shown))
    grain = np.clip(grain, -limit, limit, out=grain)
    factor = _no_more_than_removed(grain, np.asarray(cv2.subtract(film, clean), np.float32))
    return np.asarray(cv2.multiply(grain, cv2.merge([factor] * 3)), np.float32)


def _fine(face: FloatArray) -> FloatArray:
    sigma = FINEST_FEATURE * face.shape[0]
    reach = 2 * round(2 * sigma) + 1
    soft = cv2.GaussianBlur(face, (reach, reach), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(face - soft, np.float32)


def _luma(face: FloatArray) -> FloatArray:
    return np.asarray(cv2.transform(face, LUMA), np.float32)


def _strength(fine: FloatArray, shown: NDArray[np.bool_]) -> float:
    """Standard deviation of what is everywhere, 0 of nothing: a median is not moved by a few places."""
    some = fine[::2, ::2][shown[::2, ::2]]  # every other pixel says the same
    return float(_MAD * np.median(np.abs(some))) if some.size else 0.0


def _share(fine: FloatArray, lines: FloatArray, strength: float) -> FloatArray:
    """(S, S): how much of the lines is in the fine detail around each pixel, 0..1; of luma (S, S) each."""
    reach = 2 * round(2 * FINEST_FEATURE * fine.shape[0]) + 1
    both, own = (cv2.blur(a * lines, (reach, reach)) for a in (fine, lines))
    own = np.maximum(own, 0)  # OpenCV's running sums round
    # Where there are next to no lines, what they seem to share with grain is chance.
    return np.clip(both / (own + np.float32(strength**2 / 10 + 1e-9)), 0, 1)


def _no_more_than_removed(grain: FloatArray, removed: FloatArray) -> FloatArray:
    """(S, S) 0..1: the factor that makes grain around each pixel no stronger than what was removed there."""
    there, kept = _energy_around(removed), _energy_around(grain)
    share = np.minimum(cv2.divide(there, kept + np.float32(1e-12)), 1)
    return np.asarray(cv2.sqrt(share), np.float32)


def _energy_around(change: FloatArray) -> FloatArray:
    """(S, S), of three colours together."""
    reach = 2 * round(2 * FINEST_FEATURE * change.shape[0]) + 1
    energy = cv2.transform(cv2.multiply(change, change), np.ones((1, 3)))
    # OpenCV's running sums round: where there is none, they may come out just below zero.
    return np.maximum(cv2.blur(energy, (reach, reach)), 0).astype(np.float32, copy=False)
