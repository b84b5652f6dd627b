"""Pixels become channels as by PyTorch, in channels-last order on every device."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vidrestore.runtime.pixel_blocks import shuffle, unshuffle


class Elsewhere(torch.Tensor):
    """A tensor of the CPU that says that it is on another device."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device("cuda")


@pytest.mark.parametrize("side", [2, 4])
@pytest.mark.parametrize("count", [1, 3])
def test_pixel_shuffle_and_unshuffle_equal_pytorch_and_keep_channels_last(side: int, count: int) -> None:
    pictures = torch.rand(count, 3, 8, 16).contiguous(memory_format=torch.channels_last)
    blocks = unshuffle(pictures.as_subclass(Elsewhere), side).as_subclass(torch.Tensor)
    assert torch.equal(blocks, F.pixel_unshuffle(pictures, side))
    assert blocks.is_contiguous(memory_format=torch.channels_last)
    back = shuffle(blocks.as_subclass(Elsewhere), side).as_subclass(torch.Tensor)
    assert torch.equal(back, pictures)
    assert back.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("side", [2, 4])
def test_on_a_cpu_pixel_shuffle_reverses_unshuffle(side: int) -> None:
    pictures = torch.rand(2, 3, 8, 16)
    assert torch.equal(shuffle(unshuffle(pictures, side), side), pictures)
