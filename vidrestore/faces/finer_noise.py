"""How much of a frame's detail that is finer than the crop of a face is noise.

A crop is interpolated, and so is its change when it returns to the frame: both lack part of the finest
detail of the frame, and noise in that part would stay. So a share of the frame is replaced by the
interpolated crop before the change is added. The share is large where the evidence network removed the finest
detail that the crop does have, and zero where it kept that detail.
"""

from __future__ import annotations

import cv2
import numpy as np

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.types import FloatArray

KEPT_UP_TO, REPLACED_FROM = 0.5 / 255, 1.5 / 255
"""Local RMS of the fine detail that was removed: below the first value nothing is replaced, above the second
one as much as was removed. Weaker noise is hardly visible, and may be the grain of a clean picture."""
NO_ENERGY = 1e-9
"""Added to energies that divide: a hundredth of a code, squared."""
_LUMA = np.array([BT601_LUMA])


def replaced_share(film: FloatArray, clean: FloatArray, scale: float) -> FloatArray:
    """(S, S) in 0..1: the share of the frame's picture that its interpolated crop replaces.

    It is zero where `clean` equals `film`.

    Args:
        film: (S, S, 3) the face in its crop.
        clean: (S, S, 3) the estimate of the same face without noise.
        scale: Factor from the frame's px to the crop's.
    """
    unit = pixel_size(scale)
    of_film, of_clean = (np.asarray(cv2.transform(picture, _LUMA), np.float32) for picture in (film, clean))
    fine, kept = _finest(of_film, unit), _finest(of_clean, unit)
    energy, kept_energy = _mean_square(fine, unit), _mean_square(kept, unit)
    removed = np.sqrt(_mean_square(np.subtract(fine, kept), unit))
    strength = np.clip((removed - KEPT_UP_TO) / np.float32(REPLACED_FROM - KEPT_UP_TO), 0, 1)
    share = np.maximum(1 - kept_energy / (energy + np.float32(NO_ENERGY)), 0) * strength
    return np.asarray(share * (of_film != of_clean), np.float32)


def pixel_size(scale: float) -> int:
    """The size of a pixel of the frame in an enlarged crop [crop px], rounded; at least 1.

    Args:
        scale: Factor from the frame's px to the crop's.
    """
    return max(round(scale), 1)


def window(unit: int) -> int:
    """Pixels of the crop a side over which energies are averaged, for pixels of the frame of this size."""
    return 10 * unit + 1


def _finest(luma: FloatArray, unit: int) -> FloatArray:
    """(S, S) the detail of the luma that is about as fine as the frame's pixels."""
    reach = 4 * unit + 1
    soft = cv2.GaussianBlur(luma, (reach, reach), unit, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.subtract(luma, soft), np.float32)


def _mean_square(detail: FloatArray, unit: int) -> FloatArray:
    """(S, S) mean square around each pixel."""
    reach = window(unit)
    # OpenCV's running sums are rounded, so zero may become slightly negative.
    return np.maximum(cv2.blur(cv2.multiply(detail, detail), (reach, reach)), 0)
