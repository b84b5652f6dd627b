"""How much of a frame's detail that is finer than the crop of a face is noise.

A crop is interpolated, and so is its change when it returns to the frame: both lack part of the finest
detail of the frame, and noise in that part would stay. It is the residual of the frame after the crop was
warped back. A share of it is subtracted, the product of two:

- where the evidence network removed the finest detail that the crop does have, it is noise, if it removed it
  in most of the face (`removed_share`);
- the residual itself shows how strong its noise is: most of a face is smooth, so it is the strength in most
  places. Where the residual is stronger, the rest is detail, and without noise nothing is subtracted
  (`noise_share`).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.types import FloatArray

KEPT_UP_TO, REMOVED_FROM = 0.5 / 255, 1.5 / 255
"""Local RMS of the fine detail that the network removed: below the first value nothing is subtracted, above
the second one as large a share as was removed. It holds for each place, and for the median of the face: noise
is everywhere, and what is removed in a few places of a clean face may be a beard."""
CLEAN_UP_TO, NOISY_FROM = 0.7 / 255, 1.5 / 255
"""RMS of the residual in most of a face: below the first value it is clean, above the second one noisy."""
VARIATION = 1.5
"""Factor by which the local mean square of noise may exceed that in most of the face."""
NOT_IN_CROP, IN_CROP = 0.6, 0.85
"""Factor from the frame's px to the crop's. Below the first value the crop shows nothing of the finest detail
of the frame, so nothing is known of it; above the second one it shows enough."""
NO_ENERGY = 1e-9
"""Added to energies that divide: a hundredth of a code, squared."""
NO_NOISE = 1e-12
"""The same for residuals of up to 16 bits."""
WINDOW = 11
"""Pixels of the frame a side over which energies are averaged."""
FEWEST = 64
"""Samples of a face from which its noise is measured."""
_LUMA = np.array([BT601_LUMA])


def removed_share(film: FloatArray, clean: FloatArray, scale: float) -> FloatArray:
    """(S, S) in 0..1: the share of the crop's finest detail that was removed as noise.

    It is zero where `clean` equals `film`.

    Args:
        film: (S, S, 3) the face in its crop.
        clean: (S, S, 3) the estimate of the same face without noise.
        scale: Factor from the frame's px to the crop's.
    """
    unit = pixel_size(scale)
    of_film, of_clean = (np.asarray(cv2.transform(picture, _LUMA), np.float32) for picture in (film, clean))
    fine, kept = _finest(of_film, unit), _finest(of_clean, unit)
    energy, kept_energy = (_mean_square(detail, window(unit)) for detail in (fine, kept))
    removed = np.sqrt(_mean_square(np.subtract(fine, kept), window(unit)))
    usual = np.median(removed[middle(len(removed))])
    there, overall = (_strength(rms) for rms in (removed, usual))
    share = (
        known_share(scale)
        * overall
        * there
        * np.maximum(1 - kept_energy / (energy + np.float32(NO_ENERGY)), 0)
    )
    return np.asarray(share * (of_film != of_clean), np.float32)


def noise_share(residual: FloatArray, shown: NDArray[np.bool_]) -> FloatArray | None:
    """(h, w) in 0..1: the share of a plane's residual that is noise; None: it is zero everywhere.

    Args:
        residual: (h, w) of the frame after the crop was warped back, as a fraction of the plane's range.
        shown: (h, w) where the face is.
    """
    some = shown[::2, ::2]
    if np.count_nonzero(some) < FEWEST:
        return None
    energy = _mean_square(residual, WINDOW)
    noise = float(np.median(energy[::2, ::2][some]))
    gate = noise_gate(noise)
    return (
        gate * np.minimum(np.float32(VARIATION * noise) / (energy + np.float32(1e-12)), 1) if gate else None
    )


def noise_gate(noise: float) -> float:
    """0..1: how much of the noise of a residual with this mean square is subtracted."""
    return float(np.clip((np.sqrt(noise) - CLEAN_UP_TO) / (NOISY_FROM - CLEAN_UP_TO), 0, 1))


def known_share(scale: float) -> float:
    """0..1: how much a crop says of the frame's finest detail.

    Args:
        scale: Factor from the frame's px to the crop's.
    """
    return float(np.clip((scale - NOT_IN_CROP) / (IN_CROP - NOT_IN_CROP), 0, 1))


def pixel_size(scale: float) -> int:
    """The size of a pixel of the frame in an enlarged crop [crop px], rounded; 1 in a reduced crop.

    Args:
        scale: Factor from the frame's px to the crop's.
    """
    return max(round(scale), 1)


def middle(side: int) -> tuple[slice, slice]:
    """Rows and columns of the middle of a crop, of which every other pixel is taken; `side` in px."""
    part = slice(side // 4, side - side // 4, 2)
    return part, part


def window(unit: int) -> int:
    """Pixels of the crop a side over which energies are averaged, for pixels of the frame of this size."""
    return (WINDOW - 1) * unit + 1


def _strength(removed: FloatArray) -> FloatArray:
    """0..1: how noisy a place is from which detail of this RMS was removed."""
    return np.clip((removed - KEPT_UP_TO) / np.float32(REMOVED_FROM - KEPT_UP_TO), 0, 1)


def _finest(luma: FloatArray, unit: int) -> FloatArray:
    """(S, S) the detail of the luma that is about as fine as the frame's pixels."""
    reach = 4 * unit + 1
    soft = cv2.GaussianBlur(luma, (reach, reach), unit, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.subtract(luma, soft), np.float32)


def _mean_square(detail: FloatArray, reach: int) -> FloatArray:
    """Mean square around each pixel, over `reach` x `reach` of them."""
    # OpenCV's running sums are rounded, so zero may become slightly negative.
    return np.maximum(cv2.blur(cv2.multiply(detail, detail), (reach, reach)), 0)
