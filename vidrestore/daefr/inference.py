"""Optimises a trained network for inference: layers are replaced by faster ones with the same results.

The replaced layers depend on the device and the number format. Results are equal up to rounding. An optimised
network can be run, but not trained or saved.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.daefr.blocks import DoubledConv2d, ResidualBlock
from vidrestore.daefr.channels_last_norm import ChannelsLastGroupNorm
from vidrestore.daefr.cpu.winograd import LEAST_WITH_AVX512, WinogradConv2d, is_faster, is_supported
from vidrestore.daefr.transposed_upsample import TransposedUpsample
from vidrestore.runtime.worker_threads import ParallelFor

LEAST_SIDE = 512
"""Residual blocks are fused for faces of at least this side [px]. Compiling takes five seconds at the first
run and a third of a second at later ones, which is hardly worth it for smaller faces."""

logger = logging.getLogger(__name__)


def optimize_for_inference(part: nn.Module, device: torch.device, precision: torch.dtype, side: int) -> None:
    """Replaces layers of a network by faster ones, in place.

    On a CPU, convolutions and residual blocks are replaced. On CUDA, norms and convolutions after upsampling
    are; other devices keep their layers.

    Args:
        part: A network or a part of it, on the device and in the precision.
        device: The device.
        precision: The number format.
        side: Side of the faces [px].
    """
    if device.type == "cuda":
        _replace(part, lambda layer: type(layer) is nn.GroupNorm, ChannelsLastGroupNorm)
        _replace(part, _is_doubled, TransposedUpsample)
    if device.type != "cpu":
        return
    if precision in (torch.float32, torch.bfloat16) and side >= LEAST_SIDE:
        _fuse(part)
    _replace(part, _is_doubled, PhasedUpsample)
    if precision == torch.float32:
        _replace(part, is_faster, WinogradConv2d)


def _replace(
    part: nn.Module, is_replaced: Callable[[nn.Module], bool], make: Callable[[Any], nn.Module]
) -> None:
    for parent in list(part.modules()):
        for name, child in list(parent.named_children()):
            if is_replaced(child):
                setattr(parent, name, make(child))


def _is_doubled(layer: nn.Module) -> bool:
    return type(layer) is DoubledConv2d


def _fuse(part: nn.Module) -> None:
    """Replaces residual blocks by fused ones, if their loops can be compiled."""
    try:
        # Numba takes a third of a second to import.
        from vidrestore.daefr.cpu.fused import FusedResidualBlock
    except ImportError as error:
        logger.info("residual blocks are computed by PyTorch only: %s", error)
        return
    _replace(part, is_fusion_faster, lambda block: FusedResidualBlock(block, _parallel_for()))


@cache
def _parallel_for() -> ParallelFor:
    """The threads of fused blocks, which all networks share."""
    return ParallelFor()


def is_fusion_faster(block: nn.Module) -> TypeGuard[ResidualBlock]:
    """Whether a fused block can replace `block` and is faster on this CPU.

    CPUs with AMX multiply 16-bit matrices so fast that the transforms would take longer than the products.
    """
    if type(block) is not ResidualBlock or not (_is_wide(block.conv1) and _is_wide(block.conv2)):
        return False
    processor = torch.backends.cpu.get_cpu_capability()
    if block.conv1.weight.dtype == torch.float32:
        return processor in ("AVX2", "AVX512")
    by_the_tile = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()  # private, may disappear
    return processor == "AVX512" and not by_the_tile


def _is_wide(conv: nn.Module) -> bool:
    return is_supported(conv) and min(conv.in_channels, conv.out_channels) >= LEAST_WITH_AVX512


class PhasedUpsample(nn.Module):
    """(N, C, H, W) -> (N, K, 2H, 2W): the same as `DoubledConv2d`, with 4 of 9 multiplications.

    After doubling, a 3 x 3 convolution covers only 2 x 2 different pixels. Which weights belong to the same
    pixel depends on whether row and column are even or odd. So there are four convolutions of 2 x 2, one for
    each of these phases.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        assert conv.bias is not None
        weight = conv.weight.detach().float()
        phases = [_merged(_merged(weight, 2, row), 3, column) for row in (0, 1) for column in (0, 1)]
        kernels = torch.cat(phases).to(conv.weight.dtype)  # (4 K, C, 2, 2)
        self.register_buffer(
            "kernels", kernels.contiguous(memory_format=torch.channels_last), persistent=False
        )
        self.register_buffer("bias", conv.bias, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        n, _, height, width = x.shape
        kernels, bias = self.kernels, self.bias
        assert isinstance(kernels, Tensor)
        assert isinstance(bias, Tensor)
        size = (n, kernels.shape[0] // 4, 2 * height, 2 * width)
        out = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        for phase, kernel in enumerate(kernels.chunk(4)):
            row, column = divmod(phase, 2)
            seen = F.conv2d(x, kernel, bias, padding=1)  # (N, K, H + 1, W + 1)
            out[:, :, row::2, column::2] = seen[:, :, row : row + height, column : column + width]
        return out


def _merged(weight: Tensor, axis: int, phase: int) -> Tensor:
    """Two weights along an axis from three: those that belong to the same pixel are added."""
    first, middle, last = weight.unbind(axis)
    pair = (first, middle + last) if phase == 0 else (first + middle, last)
    return torch.stack(pair, axis)
