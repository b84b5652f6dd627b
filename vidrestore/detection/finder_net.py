"""A small network that is laid over a picture and says where faces are, as a detector's first step.

It sees one range of sizes; a pyramid of halved copies brings every face into it. What it proposes, the
landmark network looks at more closely, so it is tuned to miss little.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vidrestore.colour.yuv_rgb import downscaled_luma
from vidrestore.detection.weights_file import fuse_batchnorm, load_weights
from vidrestore.runtime.device import resolve_precision
from vidrestore.types import FloatArray, Frame
from vidrestore.weights import embedded_path

SMALLEST, LARGEST = 18.0, 44.0
"""Sides [px] of the squares around faces (`square_around`) that it knows; an octave and some overlap."""
STRIDE = 8
_MIDDLE = 28.0
"""Side that a predicted size of 0 means."""
_WINDOW = 33
"""Side [px] of the square in which local contrast is evened out."""
_MIN_CONTRAST = 0.02


class FaceFinder(nn.Module):
    """Pictures (N, 1, H, W) of even contrast -> (N, 4, H/8, W/8) maps: face logit, x, y, size.

    x and y are the square's centre less that of the cell, in cells; size is the logarithm to base two of the
    side over 28 pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        widths, strides = (1, 16, 24, 32, 48, 48, 48), (2, 2, 1, 2, 1, 1)
        self.body = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
                )
                for (before, width), stride in zip(pairwise(widths), strides, strict=True)
            )
        )
        self.head = nn.Conv2d(widths[-1], 4, 1)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias[:1], -3.0)  # most places are none: training begins with that

    def forward(self, pictures: Tensor) -> Tensor:
        candidates: Tensor = self.head(self.body(pictures))
        return candidates


class FinderProposals:
    """The network on a small copy of a frame and its halves."""

    def __init__(
        self, weights: Path | None = None, *, max_side: int = 640, min_score: float = 0.3, max_count: int = 32
    ) -> None:
        """At most `max_count` places of which the network is at least as sure as `min_score`, 0..1.

        `weights`: None for those inside the package. Raises WeightsError where they do not fit.
        """
        # Eight bits are enough to say where to look: the landmark network verifies, in thirty-two.
        precision = resolve_precision(torch.device("cpu"))
        network = load_face_finder(weights or embedded_path("finder.safetensors"))
        self._network = fuse_batchnorm(network).to(precision)
        self._max_side, self._min_score, self._max_count = max_side, min_score, max_count

    def propose(self, frame: Frame, *, quick: bool) -> list[FloatArray]:
        """Squares (3,) centre x, centre y, side [frame px]. `quick`: twice the smallest faces and more."""
        luma, scale = downscaled_luma(frame, self._max_side // 2 if quick else self._max_side)
        squares = find_squares(self._network, luma, min_score=self._min_score, max_count=self._max_count)
        return [_in_frame(square, scale) for square in squares]


def _in_frame(square: FloatArray, scale: float) -> FloatArray:
    """The middle of a copy's first pixel is not that of the frame's."""
    x, y, side = (float(v) for v in square)
    return np.array([(x + 0.5) / scale - 0.5, (y + 0.5) / scale - 0.5, side / scale], np.float32)


def load_face_finder(path: Path) -> FaceFinder:
    """The network with weights from `path`, in eval mode; raises WeightsError where they do not fit."""
    return load_weights(FaceFinder(), path, "the face finder")


def normalize_contrast(luma: NDArray[np.generic]) -> FloatArray:
    """`luma` (h, w) of any range, less its local mean and over its local deviation.

    Faces in the dark and in the sun look alike then; where there is nearly nothing, nearly nothing stays.
    """
    x = luma.astype(np.float32)
    x /= 255.0 if luma.dtype == np.uint8 else 1.0
    window = (_WINDOW, _WINDOW)
    mean = cv2.boxFilter(x, -1, window, borderType=cv2.BORDER_REFLECT)
    square = cv2.boxFilter(x * x, -1, window, borderType=cv2.BORDER_REFLECT)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0)) + _MIN_CONTRAST
    return np.asarray((x - mean) / deviation, np.float32)


@torch.inference_mode()
def find_squares(
    network: FaceFinder, luma: NDArray[np.uint8], *, min_score: float, max_count: int
) -> list[FloatArray]:
    """Squares (centre x, centre y, side) [px] of at most `max_count` places of all sizes, best first.

    `min_score`: how sure the network must be, 0..1. Places that overlap a better one are left out.
    """
    candidates: list[tuple[float, FloatArray]] = []
    scale = 1.0
    while min(luma.shape) >= 2 * STRIDE:
        candidates += [
            (score, _in_frame(square, scale)) for score, square in _find_at_scale(network, luma, min_score)
        ]
        luma = np.asarray(cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        scale /= 2
    selected: list[FloatArray] = []
    for _, square in sorted(candidates, key=lambda place: -place[0]):
        if all(are_distinct(square, other) for other in selected):
            selected.append(square)
    return selected[:max_count]


def _find_at_scale(
    network: FaceFinder, luma: NDArray[np.uint8], min_score: float
) -> list[tuple[float, FloatArray]]:
    """Of one copy: cells that are surer than `min_score` and than those around them."""
    picture = torch.from_numpy(normalize_contrast(luma))[None, None].to(network.head.weight.dtype)
    maps = network(picture.contiguous(memory_format=torch.channels_last))[0].float().contiguous().numpy()
    threshold = np.log(min_score / (1 - min_score))
    logits = maps[0]
    best = np.asarray(cv2.dilate(logits, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero((logits > threshold) & (logits == best))
    return [
        (
            float(logits[row, column]),
            np.array(
                [
                    (column + 0.5 + maps[1, row, column]) * STRIDE - 0.5,
                    (row + 0.5 + maps[2, row, column]) * STRIDE - 0.5,
                    _MIDDLE * 2.0 ** float(np.clip(maps[3, row, column], -1.5, 1.5)),
                ],
                np.float32,
            ),
        )
        for row, column in zip(rows, columns, strict=True)
    ]


def are_distinct(a: FloatArray, b: FloatArray) -> bool:
    """Whether two squares show different places: centres far from each other, or sizes."""
    smaller, larger = sorted((float(a[2]), float(b[2])))
    return float(np.hypot(*(a[:2] - b[:2]))) > 0.35 * larger or larger > 2.2 * smaller


def cell_coordinates(square: NDArray[np.floating]) -> FloatArray:
    """(3,) centre x, centre y [cells from the first cell's middle] and size, as the maps give them."""
    x, y, side = (float(v) for v in square)
    return np.array([(x + 0.5) / STRIDE - 0.5, (y + 0.5) / STRIDE - 0.5, np.log2(side / _MIDDLE)], np.float32)
