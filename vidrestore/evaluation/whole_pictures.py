"""The measures of a whole frame or picture."""

from __future__ import annotations

from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.evaluation import image
from vidrestore.evaluation.face_measures import decibels
from vidrestore.types import FloatArray, Frame

_LEAST_SSIM, _LEAST_MS_SSIM = 11, 161
"""Shortest side that the measure can be computed for [px]."""


def whole_picture(frame: Frame, truth: Frame, *, multi_scale: bool) -> dict[str, float]:
    """PSNR and SSIM of a frame against its truth.

    Args:
        frame: The frame to measure.
        truth: The clean frame, of the same size.
        multi_scale: Whether to measure MS-SSIM too.

    Returns:
        Values by the measure's name, without those that the frame is too small for.
    """
    picture, wanted = rgb(frame), rgb(truth)
    side = min(frame.width, frame.height)
    values = {"psnr": decibels(picture, wanted)}
    if side >= _LEAST_SSIM:
        values["ssim"] = image.ssim(picture, wanted, "rgb")
    if multi_scale and side >= _LEAST_MS_SSIM:
        values["ms_ssim"] = image.ms_ssim(picture, wanted)
    return values


def rgb(frame: Frame) -> FloatArray:
    """(H, W, 3) RGB in 0..1."""
    return rgb_region(frame, 0, 0, frame.width, frame.height).clip(0, 1)
