"""The opacity of a restored face: it changes smoothly, and is lower for turned and uncertain faces."""

from __future__ import annotations

import numpy as np

from vidrestore.types import FloatArray

FADE_FRAMES = 3
TURNED_OFFSET = (0.30, 0.60)
"""Range in which opacity falls: offset of the nose from the middle of the eyes, over the eyes' distance."""
PROFILE_OPACITY = 0.25
"""Opacity of a face in profile."""
UNSURE_SCORES = (0.2, 0.5)
"""Range of scores in which opacity rises from 0 to 1."""


def fade_out(frames_until_lost: int) -> float:
    """Opacity 0..1 of a face that ends this number of frames after the current one."""
    return min(1.0, (frames_until_lost + 1) / (FADE_FRAMES + 1))


def limit_step(target: float, previous: float) -> float:
    """The target, or the nearest opacity that the step from the previous frame allows."""
    step = 1 / (FADE_FRAMES + 1)
    return min(max(target, previous - step), previous + step)


def opacity_for_pose(landmarks: FloatArray) -> float:
    """1 for a frontal face, smoothly down to `PROFILE_OPACITY` for a profile."""
    # Measured across the line from eyes to mouth: in profile, the eyes are too close to define a direction.
    down = landmarks[3:].mean(0) - landmarks[:2].mean(0)
    across = np.array([down[1], -down[0]]) / (np.hypot(*down) + 1e-6)
    eyes = np.hypot(*(landmarks[1] - landmarks[0])) + 1e-6
    offset = abs(float((landmarks[2] - landmarks[:2].mean(0)) @ across)) / float(eyes)
    return 1 - (1 - PROFILE_OPACITY) * _smooth_step(offset, *TURNED_OFFSET)


def opacity_for_score(score: float) -> float:
    """Opacity 0..1 by the detector's score."""
    return _smooth_step(score, *UNSURE_SCORES)


def _smooth_step(x: float, low: float, high: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
