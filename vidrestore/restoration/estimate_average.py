"""Averages the estimates of a face over time, along its motion, with a weight for each pixel.

Noise differs from frame to frame, and a face hardly does. Each neighbour is warped by dense optical flow
(OpenCV's DIS) and weighted by the inverse square of its scale. Where it still shows something else, such as a
closing lid or opening lips, its weight is 0.

Source: Kroeger et al. 2016, "Fast optical flow using dense inverse search".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vidrestore.restoration.averaged_scale import averaged_scale
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.flow_average import average_along_motion

FINE_BANDS = 3
"""Bands whose scale decides the weight; errors in coarser bands are the same in all frames."""
MOVING_ERROR = 2 / 255
"""Error that warping adds to a picture. So neighbours hardly change an estimate with a smaller error."""
LARGEST_WEIGHT = 4.0


def average_estimates(own: FaceEstimate, others: Sequence[tuple[float, FaceEstimate]]) -> FaceEstimate:
    """`own` with its mean averaged with those of other frames, and the scale of the error that remains.

    Args:
        own: The estimate of this frame.
        others: Weights and estimates of the same face in other frames.
    """
    same = [(weight, other) for weight, other in others if other.mean.shape == own.mean.shape]
    if not same:
        return own
    own_variance = _variance(own)
    weighted = [(weight * _weights(own_variance, _variance(other)), other.mean) for weight, other in same]
    mean = average_along_motion(own.mean, weighted)
    removed = torch.from_numpy(own.mean - mean).permute(2, 0, 1)[None]
    scale = averaged_scale(torch.from_numpy(own.scale).permute(2, 0, 1)[None], removed)
    return replace(own, mean=mean, scale=scale[0].permute(1, 2, 0).contiguous().numpy())


def _variance(estimate: FaceEstimate) -> NDArray[np.float32]:
    return np.square(estimate.scale[..., :FINE_BANDS]).sum(-1)


def _weights(own: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """(S / 2, S / 2): the weight of a neighbour by its variance; the frame itself has weight 1."""
    ratio = own / (other + np.float32(MOVING_ERROR**2))
    return np.asarray(cv2.blur(np.minimum(ratio, LARGEST_WEIGHT), (5, 5)), np.float32)
