"""How good a restored face is: against its truth in one frame (`image`) and over time (`temporal`)."""

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
