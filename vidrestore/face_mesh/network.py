"""The face mesh network: MediaPipe's (Kartynnik et al. 2019), inference only, without its other outputs."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vidrestore.errors import WeightsError
from vidrestore.runtime.skip_initialisation import SkipInitialisation

CHIP_SIDE = 192
POINTS = 468
STAGES = ((16, 2), (32, 3), (64, 3), (128, 3), (128, 3))
"""Channels and number of blocks of each stage; from the second stage on, its first block halves the size."""
_NARROW = 32


class FaceMeshNetwork(nn.Module):
    """Chips (N, 3, 192, 192) RGB in 0..1 -> points (N, 468, 3), x y [px] and depth in the same unit."""

    def __init__(self) -> None:
        super().__init__()
        width = STAGES[0][0]
        self.stem = nn.Conv2d(3, width, 3, stride=2)
        self.stem_slope = nn.PReLU(width)
        blocks, before = [], width
        for stage, (width, count) in enumerate(STAGES):
            for number in range(count):
                blocks.append(MeshBlock(before, width, halves=stage > 0 and number == 0))
                before = width
        # The original model branches here; these blocks belong to its branch for the landmarks.
        blocks += [MeshBlock(before, before, halves=number == 0) for number in range(3)]
        self.blocks = nn.Sequential(*blocks)
        self.narrow = nn.Sequential(nn.Conv2d(before, _NARROW, 1), nn.PReLU(_NARROW))
        self.last = MeshBlock(_NARROW, _NARROW)
        self.points = nn.Conv2d(_NARROW, POINTS * 3, 3, stride=3)

    def forward(self, chips: Tensor) -> Tensor:
        x = self.stem_slope(self.stem(F.pad(chips, (0, 1, 0, 1))))
        x = self.last(self.narrow(self.blocks(x)))  # (N, 32, 3, 3)
        return self.points(x).reshape(-1, POINTS, 3)


class MeshBlock(nn.Module):
    """A depthwise and a pointwise convolution, added to the input or to its half-size copy."""

    def __init__(self, before: int, width: int, *, halves: bool = False) -> None:
        super().__init__()
        self.halves = halves
        self.added = width - before
        padding = 0 if halves else 1
        self.depthwise = nn.Conv2d(
            before, before, 3, stride=2 if halves else 1, padding=padding, groups=before, bias=False
        )
        self.pointwise = nn.Conv2d(before, width, 1)
        self.slope = nn.PReLU(width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.pointwise(self.depthwise(F.pad(x, (0, 1, 0, 1)) if self.halves else x))
        if self.halves:
            x = F.max_pool2d(x, 2)
        if self.added:
            x = F.pad(x, (0, 0, 0, 0, 0, self.added))
        return self.slope(x + y)


def load_face_mesh_network(path: Path) -> FaceMeshNetwork:
    """The network with the weights in `path`, float32, in evaluation mode.

    Raises:
        WeightsError: There is no such file, or it has no weights of the face mesh network.
    """
    with SkipInitialisation():
        network = FaceMeshNetwork()
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).split("\n", 1)[0]
        raise WeightsError(f"{path} has no weights of the face mesh network: {first}") from error
    return network.eval().requires_grad_(False)
