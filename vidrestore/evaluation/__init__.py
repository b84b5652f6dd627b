"""Measures the quality of a restoration: `evaluate` for files, other functions for pictures.

Measures of single pictures against their truth are in `image`, those of stability over time in `temporal`.
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
