"""The norm for GPUs computes what PyTorch's does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vidrestore.daefr.channels_last_norm import ChannelsLastGroupNorm


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_channels_last_norm_equals_group_norm_and_keeps_the_memory_order(precision: torch.dtype) -> None:
    torch.manual_seed(0)
    norm = nn.GroupNorm(8, 32, eps=1e-6)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = (torch.randn(2, 32, 12, 20) * 3 + 1).to(precision, memory_format=torch.channels_last)
    with torch.inference_mode():
        ours = ChannelsLastGroupNorm(norm)(x)
        expected = norm(x.float())
    assert ours.dtype == precision
    assert ours.is_contiguous(memory_format=torch.channels_last)
    if precision == torch.float32:
        assert (ours - expected).abs().max() < 4e-6
    else:  # mean, variance and the result are rounded to 8 bits of mantissa
        assert (ours.float() - expected).abs().max() < 0.02 * expected.abs().max()
