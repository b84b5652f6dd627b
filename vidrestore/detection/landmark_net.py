"""A small network that decides whether a crop shows a face, and locates its five points.

The crop is the square around the face (`faces/face_square.py`) at `CROP_SIDE` pixels, rotated upright.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vidrestore.detection.weights_file import load_weights
from vidrestore.types import FloatArray

CROP_SIDE = 64


class LandmarkNet(nn.Module):
    """Crops (N, 3, 64, 64) in [-1, 1] -> face logits (N,), points (N, 5, 2) as fractions of the crop.

    Each point is the mean of a 32 x 32 heat map from fine and coarse features, plus a correction from the
    coarsest features, which may lead outside the crop.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (16, 48, 80, 112)  # at 32, 16, 8 and 4 positions a side
        self.down = nn.ModuleList(
            nn.Sequential(_convolution(before, width, 2), _convolution(width, width))
            for before, width in zip((3, *widths), widths, strict=False)
        )
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(_convolution(width, width) for width in widths[:-1])
        self.heat = nn.Conv2d(widths[0], 5, 1)
        self.hidden = nn.Linear(widths[-1] * 16, 128)
        self.face = nn.Linear(128, 1)
        self.correction = nn.Linear(128, 10)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        levels, x = [], crops
        for down in self.down:
            x = down(x)
            levels.append(x)
        hidden = F.relu(self.hidden(x.flatten(1)))
        for level, narrow, up in reversed(list(zip(levels, self.narrow, self.up, strict=False))):
            x = up(level + F.interpolate(narrow(x), scale_factor=2.0))
        heat = self.heat(x).flatten(2).softmax(2).unflatten(2, x.shape[2:])  # N 5 32 32
        place = (torch.arange(heat.shape[3], device=heat.device) + 0.5) / heat.shape[3]
        points = torch.stack([(heat.sum(2) * place).sum(2), (heat.sum(3) * place).sum(2)], 2)
        return self.face(hidden).squeeze(1), points + 0.1 * self.correction(hidden).unflatten(1, (5, 2))


def load_landmark_net(path: Path) -> LandmarkNet:
    """The network with weights from `path`, in eval mode.

    Raises:
        WeightsError: The weights do not fit.
    """
    return load_weights(LandmarkNet, path, "the landmark network")


def crop_matrix(square: NDArray[np.floating], angle: float = 0.0) -> NDArray[np.float64]:
    """(2, 3) picture px -> crop px of a square (centre x, centre y, side) tilted by `angle` degrees."""
    x, y, side = (float(v) for v in square)
    matrix = cv2.getRotationMatrix2D((x, y), angle, CROP_SIDE / side).astype(np.float64)
    matrix[:, 2] += (CROP_SIDE - 1) / 2 - np.array([x, y])
    return matrix


def to_input(crops: list[NDArray[np.uint8]]) -> Tensor:
    """(N, 3, 64, 64) in [-1, 1] of N RGB crops (64, 64, 3), each white-balanced on its mean.

    Without the balance, faces in the orange light of old television are rejected.
    """
    x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    means = x.mean((2, 3), keepdim=True)
    gains = means.mean(1, keepdim=True) / means.clamp_min(1e-3)
    return (x * gains.clamp(1 / 3, 3)).clamp(0, 1) * 2 - 1


@torch.inference_mode()
def find_points(
    network: LandmarkNet, crops: list[NDArray[np.uint8]], matrices: list[NDArray[np.float64]]
) -> tuple[FloatArray, FloatArray]:
    """Scores and landmarks of crops.

    Args:
        network: The landmark network.
        crops: N crops for the network, RGB.
        matrices: (2, 3) from picture px to crop px, for each crop.

    Returns:
        (N,) scores in 0..1, and (N, 5, 2) points [picture px].
    """
    if not crops:
        return np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
    logits, points = network(to_input(crops).contiguous(memory_format=torch.channels_last))
    in_crop = points.numpy() * CROP_SIDE - 0.5
    placed = [
        p @ inverse[:, :2].T + inverse[:, 2]
        for p, inverse in zip(in_crop, map(cv2.invertAffineTransform, matrices), strict=True)
    ]
    return logits.sigmoid().numpy(), np.stack(placed).astype(np.float32)


def _convolution(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )
