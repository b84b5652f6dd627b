"""Estimates of one face averaged over time, along its motion, each pixel by how sure it is.

Noise differs from frame to frame, a face hardly does. Each neighbour is moved to where its detail is now, by
dense optical flow (OpenCV's DIS), weighted by the inverse square of its scale, and left out wherever it shows
something else even then: a lid that closes, lips that part.

Source: Kroeger et al. 2016, "Fast optical flow using dense inverse search".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.flow_average import average_along_motion

FINE_BANDS = 3
"""Bands whose scale decides how much a frame counts: coarser errors are the same in all frames."""
MOVING_ERROR = 2 / 255
"""Error that moving a picture between pixels adds to it: a frame that is surer than that is left alone."""
LARGEST_WEIGHT = 4.0


def average_estimates(own: FaceEstimate, others: Sequence[tuple[float, FaceEstimate]]) -> FaceEstimate:
    """`own` with its mean averaged with those of (weight, estimate) of the same face at other times.

    Its scale stays: how much of an error is the same in all frames is not known.
    """
    same = [(weight, other) for weight, other in others if other.mean.shape == own.mean.shape]
    if not same:
        return own
    own_variance = _variance(own)
    weighted = [(weight * _weights(own_variance, _variance(other)), other.mean) for weight, other in same]
    return replace(own, mean=average_along_motion(own.mean, weighted))


def _variance(estimate: FaceEstimate) -> NDArray[np.float32]:
    return np.square(estimate.scale[..., :FINE_BANDS]).sum(-1)


def _weights(own: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """(S / 2, S / 2): what a neighbour counts by its variance, where the frame itself counts as 1."""
    ratio = own / (other + np.float32(MOVING_ERROR**2))
    return np.asarray(cv2.blur(np.minimum(ratio, LARGEST_WEIGHT), (5, 5)), np.float32)
