"""How much of a restored face is wanted: it never jumps, and turned and unsure faces get less."""

from __future__ import annotations

from vidrestore.types import FloatArray

FADE_FRAMES = 3
TURNED = (0.30, 0.60)
"""Offset of the nose from the eyes' middle, over their distance: from where to where strength falls."""
TURNED_SHARE = 0.25
"""Strength left for a profile."""
UNSURE = (0.2, 0.5)
"""Scores between which strength grows from nothing to full."""


def fade_out(frames_to_death: int) -> float:
    """0..1 for a face that is seen for so many frames after this one, and then no more."""
    return min(1.0, (frames_to_death + 1) / (FADE_FRAMES + 1))


def towards(wanted: float, before: float) -> float:
    """The strength wanted, or as near as it may come in one frame from that of the frame before."""
    step = 1 / (FADE_FRAMES + 1)
    return min(max(wanted, before - step), before + step)


def of_pose(landmarks: FloatArray) -> float:
    """1 for a frontal face, falling smoothly to `TURNED_SHARE` for a profile."""
    eyes = landmarks[1] - landmarks[0]
    length = float(eyes @ eyes) + 1e-6
    offset = abs(float((landmarks[2] - (landmarks[0] + landmarks[1]) / 2) @ eyes) / length)
    return 1 - (1 - TURNED_SHARE) * _smooth_step(offset, *TURNED)


def of_score(score: float) -> float:
    """0..1 by how sure the detector is."""
    return _smooth_step(score, *UNSURE)


def _smooth_step(x: float, low: float, high: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
