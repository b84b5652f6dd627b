"""Averages the pictures of a face over time, along its motion, on the device.

Only the optical flow is computed on a CPU, from small grey copies: `flow_average` and `estimate_average` do
the rest with OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.restoration.averaged_scale import averaged_scale
from vidrestore.restoration.estimate_average import FINE_BANDS, LARGEST_WEIGHT, MOVING_ERROR
from vidrestore.restoration.flow_average import COMPARED_SIDE, LEAST_SIDE, MISMATCH_CODES, motion_between
from vidrestore.restoration.pinned_copies import download, pack, upload
from vidrestore.restoration.tensor_pictures.luma import luma
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory
from vidrestore.restoration.tensor_pictures.pictures import SmallGrey, TensorEstimate, TensorPicture
from vidrestore.restoration.tensor_pictures.resampling import average_areas, enlarge_linear, move_along
from vidrestore.runtime.launching_thread import launch

_WEIGHT_WINDOW = 5

R = TypeVar("R")


def small_greys(pictures: Tensor) -> Tensor:
    """(N, S / 2, S / 2) uint8: small grey copies of pictures (N, 3, S, S) in 0..1."""
    grey = luma(pictures)
    side = pictures.shape[-1]
    assert side >= 2 * LEAST_SIDE, f"crops have at least {2 * LEAST_SIDE} pixels, not {side}"
    small = average_areas(grey[:, None], side // 2)[:, 0]
    return (255 * small).round().clamp(0, 255).to(torch.uint8)


def start_greys(greys: Tensor) -> Callable[[], list[SmallGrey]]:
    """Launches the copies of `small_greys` (N, h, w); the returned function waits for them."""
    floats, copied = greys.float(), download(greys)
    return lambda: [
        SmallGrey(on_host=host, on_device=there) for host, there in zip(copied.arrays(), floats, strict=True)
    ]


def average_tensor_estimates(
    own: TensorEstimate, others: Sequence[tuple[float, TensorEstimate]]
) -> TensorEstimate:
    """`own` with its mean averaged with those of other frames: `estimate_average.average_estimates`.

    Args:
        own: The estimate of this frame.
        others: Weights and estimates of the same face in other frames.
    """
    same = [(weight, other) for weight, other in others if other.mean.shape == own.mean.shape]
    if not same:
        return own
    around = [(other.mean, other.grey) for _, other in same]

    def average(flows: Tensor) -> tuple[Tensor, Tensor]:
        variances = torch.stack([_variance(other) for _, other in same])  # (M, S / 2, S / 2)
        ratio = (_variance(own) / (variances + MOVING_ERROR**2)).clamp(max=LARGEST_WEIGHT)
        maps = box_mean(ratio[:, None], _WEIGHT_WINDOW)[:, 0]
        weights = [weight * part for (weight, _), part in zip(same, maps.unbind(), strict=True)]
        mean = _average(own.mean, own.grey, weights, around, flows)
        return mean, averaged_scale(own.scale[None], (own.mean - mean)[None])[0]

    mean, scale = _launch_along_motion(own.grey, [other.grey for _, other in same], average)
    return replace(own, mean=mean, scale=scale)


def average_tensor_pictures(
    own: TensorPicture, others: Sequence[tuple[float, TensorPicture]]
) -> TensorPicture:
    """The weighted average of a face with its moved neighbours: `flow_average.average_along_motion`."""
    around = [(other.picture, other.grey) for _, other in others]

    def average(flows: Tensor) -> Tensor:
        like = own.grey.on_device
        weights = [like.new_full(like.shape, weight) for weight, _ in others]
        return _average(own.picture, own.grey, weights, around, flows)

    return replace(own, picture=_launch_along_motion(own.grey, [grey for _, grey in around], average))


def _launch_along_motion(own: SmallGrey, others: Sequence[SmallGrey], average: Callable[[Tensor], R]) -> R:
    """The result of `average`, which gets the motion (M, S / 2, S / 2, 2) from `own` to the others.

    The motion is computed in the caller's thread, everything else in the device's.
    """
    device = own.on_device.device
    flows = pack([motion_between(own.on_host, other.on_host) for other in others], device)
    return with_freed_memory(lambda: launch(device, lambda: average(upload(flows, device))))


def _average(
    own: Tensor,
    grey: SmallGrey,
    weights: Sequence[Tensor],
    others: Sequence[tuple[Tensor, SmallGrey]],
    flows: Tensor,
) -> Tensor:
    """The average (3, S, S) of `own` with weight 1 and of M others with weights (S / 2, S / 2)."""
    size, side = own.shape[-1], grey.on_device.shape[-1]
    greys = torch.stack([other.on_device for _, other in others])[:, None]  # (M, 1, h, w)
    difference = (move_along(greys, flows).round() - grey.on_device).abs()
    mismatch = box_mean(difference, COMPARED_SIDE)
    shares = torch.stack(list(weights))[:, None] * torch.exp(-((mismatch / MISMATCH_CODES) ** 2))
    at_size = enlarge_linear(flows.permute(0, 3, 1, 2) * (size / side), size).permute(0, 2, 3, 1)
    moved = move_along(torch.stack([picture for picture, _ in others]), at_size)
    total = own + (enlarge_linear(shares, size) * moved).sum(0)
    return total / enlarge_linear(1 + shares.sum(0, keepdim=True), size)[0]


def box_mean(values: Tensor, window: int) -> Tensor:
    """The mean of (N, C, H, W) over a square around each pixel; edges are mirrored, as OpenCV does."""
    return F.avg_pool2d(F.pad(values, (window // 2,) * 4, mode="reflect"), window, stride=1)


def _variance(estimate: TensorEstimate) -> Tensor:
    return estimate.scale[:FINE_BANDS].square().sum(0)
