"""Extracts the grain of a face: detail that is finer than its features and not stronger than noise.

A restored face has no grain, so it looks wrong in a grainy picture. A share of the footage's own grain is
kept, so its size, strength and colour are right, and it changes from frame to frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.settings.sidecar import Grain
from vidrestore.types import FloatArray

FINEST_FEATURE = 1 / 64
"""Standard deviation of the Gaussian that removes grain, as a fraction of the crop's side. An iris is four
times as wide."""
LARGEST = 2.5
"""Limit of grain in standard deviations; scratches, dust and edges are stronger and are cut off."""
AUTO_GRAIN = 0.2
"""Share of the grain that a face keeps with `auto`, unless it is drawn as a whole; the wide feather hides the
remaining difference."""
LUMA = np.array([BT601_LUMA])
DEVIATION_OF_MEDIAN = 1.4826
"""Standard deviation of a normal distribution, divided by its median absolute deviation."""


def grain_share(grain: Grain, *, is_generated: bool) -> float:
    """The share of the footage's grain that a face keeps.

    `is_generated`: whether it is drawn as a whole. With `auto` such a face gets no grain.
    """
    if grain == "auto":
        return 0.0 if is_generated else AUTO_GRAIN
    return grain


def extract_grain(film: FloatArray, clean: FloatArray, mask: FloatArray) -> FloatArray:
    """The grain of a face, (S, S, 3) around zero.

    It is nearly zero in footage without grain, and zero where `clean` equals `film`.

    Args:
        film: The aligned face (S, S, 3).
        clean: The same face without grain.
        mask: (S, S) mask of the face, where the strength of grain is measured.
    """
    fine, shown = _fine(film), mask > 0.5
    # The lines of the face are fine detail too. They are in `clean` already, so they must not be added again.
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
    """Standard deviation from a median, which ignores detail in few places."""
    some = fine[::2, ::2][shown[::2, ::2]]  # every other pixel is enough
    return float(DEVIATION_OF_MEDIAN * np.median(np.abs(some))) if some.size else 0.0


def _share(fine: FloatArray, lines: FloatArray, strength: float) -> FloatArray:
    """(S, S) the share of lines in the fine detail around each pixel, 0..1; both are luma (S, S)."""
    reach = 2 * round(2 * FINEST_FEATURE * fine.shape[0]) + 1
    both, own = (cv2.blur(a * lines, (reach, reach)) for a in (fine, lines))
    own = np.maximum(own, 0)  # OpenCV's running sums round
    # Where there are hardly any lines, a correlation with grain is random.
    return np.clip(both / (own + np.float32(strength**2 / 10 + 1e-9)), 0, 1)


def _no_more_than_removed(grain: FloatArray, removed: FloatArray) -> FloatArray:
    """(S, S) factor 0..1 that limits grain around each pixel to the strength of the removed detail."""
    there, kept = _energy_around(removed), _energy_around(grain)
    share = np.minimum(cv2.divide(there, kept + np.float32(1e-12)), 1)
    return np.asarray(cv2.sqrt(share), np.float32)


def _energy_around(change: FloatArray) -> FloatArray:
    """(S, S) energy around each pixel, summed over three colours."""
    reach = 2 * round(2 * FINEST_FEATURE * change.shape[0]) + 1
    energy = cv2.transform(cv2.multiply(change, change), np.ones((1, 3)))
    # OpenCV's running sums are rounded, so zero may become slightly negative.
    return np.maximum(cv2.blur(energy, (reach, reach)), 0).astype(np.float32, copy=False)
