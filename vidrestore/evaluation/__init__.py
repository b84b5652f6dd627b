"""How good a restoration is: `evaluate` measures files, the functions measure pictures.

Single pictures against their truth are in `image`, steadiness over time in `temporal`.
"""

from __future__ import annotations

from vidrestore.evaluation.image import edge_energy_ratio, gmsd, haarpsi, ms_ssim, psnr, ssim
from vidrestore.evaluation.temporal import flicker, landmark_jitter, warping_error

__all__ = [
    "edge_energy_ratio",
    "flicker",
    "gmsd",
    "haarpsi",
    "landmark_jitter",
    "ms_ssim",
    "psnr",
    "ssim",
    "warping_error",
]
