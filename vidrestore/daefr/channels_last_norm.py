"""Group normalisation with channels-last output, for GPUs. PyTorch's returns channels-first tensors.

Otherwise each convolution after it would have to reorder the whole picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ChannelsLastGroupNorm(nn.Module):
    """`nn.GroupNorm` with channels-last output, for inference only."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.groups = norm.num_groups
        # A tensor: its sum with a variance of 16 bits is in float32 in one step.
        self.register_buffer("eps", torch.tensor([norm.eps], device=norm.weight.device), persistent=False)
        # In float32, as in PyTorch's own kernel.
        self.register_buffer("weight", norm.weight.detach().float().view(norm.num_groups, -1))
        self.register_buffer("bias", norm.bias.detach().float().view(norm.num_groups, -1))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias, eps = self.weight, self.bias, self.eps
        assert isinstance(eps, Tensor)
        assert isinstance(weight, Tensor)
        assert isinstance(bias, Tensor)
        n, channels, height, width = x.shape
        x = x.contiguous(memory_format=torch.channels_last)
        grouped = x.permute(0, 2, 3, 1).view(n, height * width, self.groups, -1)
        variance, mean = torch.var_mean(grouped, (1, 3), correction=0, keepdim=True)  # (N, 1, G, 1)
        scale = (variance + eps).rsqrt_() * weight  # (N, 1, G, C / G)
        shift = torch.addcmul(bias, mean, scale, value=-1)
        # The result is rounded once; without `out` it would be in float32.
        return torch.addcmul(
            shift.view(n, channels, 1, 1), x, scale.view(n, channels, 1, 1), out=torch.empty_like(x)
        )
