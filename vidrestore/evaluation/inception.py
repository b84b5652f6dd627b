"""The Inception network of FID, with weights from a file of the user.

It is torchvision's Inception v3 with the pooling of the TensorFlow network of 2015, whose weights pytorch-fid
published: averages exclude the padding, and the last block uses maxima. Pictures are resized and scaled as in
pytorch-fid and basicsr.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.models import inception

from vidrestore.runtime.tensor_files import check_shapes, finite, read_checkpoint, shapes_of
from vidrestore.types import FloatArray

FEATURES = 2048
_SIDE, _CLASSES = 299, 1008
_COUNTER = "num_batches_tracked"


class InceptionFeatures:
    """Computes the features before the last layer of the network."""

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        """Loads the weights. Raises WeightsError if the file does not have them."""
        network = inception_network()
        state = {name: t for name, t in read_checkpoint(weights).items() if not name.endswith(_COUNTER)}
        wanted = {n: s for n, s in shapes_of(network.state_dict()).items() if not n.endswith(_COUNTER)}
        check_shapes(shapes_of(state), wanted, weights)
        network.load_state_dict(finite(state, weights), strict=False)
        network.fc = nn.Identity()
        self._device = torch.device(device)
        self._network = network.eval().to(self._device)

    @torch.inference_mode()
    def describe(self, pictures: Sequence[FloatArray]) -> NDArray[np.float64]:
        """(N, 2048) of N pictures (H, W, 3) RGB in 0..1."""
        rows = [self.of_tensor(_prepared(picture).to(self._device)) for picture in pictures]
        return np.concatenate(rows) if rows else np.zeros((0, FEATURES))

    @torch.inference_mode()
    def of_tensor(self, pictures: Tensor) -> NDArray[np.float64]:
        """(N, 2048) of pictures (N, 3, 299, 299) in -1..1."""
        return np.asarray(self._network(pictures).double().cpu().numpy())


def inception_network() -> inception.Inception3:
    """The network without weights."""
    network = inception.Inception3(
        num_classes=_CLASSES,
        aux_logits=False,
        init_weights=False,
        inception_blocks=[
            inception.BasicConv2d, _BlockA, inception.InceptionB, _BlockC, inception.InceptionD, _BlockE,
            inception.InceptionAux,
        ],
    )  # fmt: skip
    network.Mixed_7c = _LastBlock(FEATURES)
    return network


class _BlockA(inception.InceptionA):  # type: ignore[misc]
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(_average(x))]


class _BlockC(inception.InceptionC):  # type: ignore[misc]
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(_average(x))]


class _BlockE(inception.InceptionE):  # type: ignore[misc]
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(_average(x))]


class _LastBlock(inception.InceptionE):  # type: ignore[misc]
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(F.max_pool2d(x, 3, stride=1, padding=1))]


def _average(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def _prepared(picture: FloatArray) -> Tensor:
    x = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
    return F.interpolate(x, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False) * 2 - 1
