"""Nearest upsampling with the 3 x 3 convolution after it, as one transposed convolution, for CUDA."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TransposedUpsample(nn.Module):
    """(N, C, H, W) -> (N, K, 2H, 2W): the same as `DoubledConv2d`, with 4 of 9 multiplications.

    After doubling, a 3 x 3 convolution covers only 2 x 2 different pixels. Each output pixel is a sum over
    these four, with weights that depend on whether its row and column are even or odd: this is a transposed
    convolution of 4 x 4 with stride 2. It is one kernel, and the doubled picture is never written.
    `PhasedUpsample` computes the same on a CPU, where PyTorch has no fast transposed convolution.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        assert conv.bias is not None
        weight = _spread(_spread(conv.weight.detach().float(), 2), 3)  # (K, C, 4, 4)
        kernel = weight.transpose(0, 1).to(conv.weight.dtype)
        self.register_buffer("kernel", kernel.contiguous(memory_format=torch.channels_last), persistent=False)
        self.register_buffer("bias", conv.bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel, bias = self.kernel, self.bias
        assert isinstance(kernel, Tensor)
        assert isinstance(bias, Tensor)
        return F.conv_transpose2d(x, kernel, bias, stride=2, padding=1)


def _spread(weight: Tensor, axis: int) -> Tensor:
    """Four weights along an axis from three.

    An even output gets the second of them from its own input and the last from the one before. An odd output
    gets the third from its own input and the first from the one after.
    """
    first, middle, last = weight.unbind(axis)
    return torch.stack((last, middle + last, first + middle, first), axis)
