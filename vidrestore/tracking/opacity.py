"""How much of a restored face is wanted: it never jumps, and turned and unsure faces get less."""

from __future__ import annotations

import numpy as np

from vidrestore.types import FloatArray

FADE_FRAMES = 3
TURNED_OFFSET = (0.30, 0.60)
"""Offset of the nose from the eyes' middle, over their distance: from where to where strength falls."""
PROFILE_OPACITY = 0.25
"""Strength left for a profile."""
UNSURE_SCORES = (0.2, 0.5)
"""Scores between which strength grows from nothing to full."""


def fade_out(frames_until_lost: int) -> float:
    """0..1 for a face that is seen for so many frames after this one, and then no more."""
    return min(1.0, (frames_until_lost + 1) / (FADE_FRAMES + 1))


def limit_step(target: float, previous: float) -> float:
    """The strength wanted, or as near as it may come in one frame from that of the frame before."""
    step = 1 / (FADE_FRAMES + 1)
    return min(max(target, previous - step), previous + step)


def opacity_for_pose(landmarks: FloatArray) -> float:
    """1 for a frontal face, falling smoothly to `PROFILE_OPACITY` for a profile."""
    # Across the line from eyes to mouth: in profile the eyes lie too near to each other to give a direction.
    down = landmarks[3:].mean(0) - landmarks[:2].mean(0)
    across = np.array([down[1], -down[0]]) / (np.hypot(*down) + 1e-6)
    eyes = np.hypot(*(landmarks[1] - landmarks[0])) + 1e-6
    offset = abs(float((landmarks[2] - landmarks[:2].mean(0)) @ across)) / float(eyes)
    return 1 - (1 - PROFILE_OPACITY) * _smooth_step(offset, *TURNED_OFFSET)


def opacity_for_score(score: float) -> float:
    """0..1 by how sure the detector is."""
    return _smooth_step(score, *UNSURE_SCORES)


def _smooth_step(x: float, low: float, high: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
