"""On a GPU no picture is copied to another memory order between the layers of the networks."""

from __future__ import annotations

from typing import cast
from unittest.mock import patch

import pytest
from torch import Tensor, nn

from benchmarks.layout_copies import LayoutCount, counts_of_steps, networks_on_gpu
from vidrestore.daefr import COMPACT, inference

pytestmark = pytest.mark.filterwarnings("ignore:.*CUDA is not available")


def counts() -> dict[str, LayoutCount]:
    with networks_on_gpu(COMPACT) as (generator, estimator):
        return counts_of_steps(generator, estimator)


def test_pictures_and_tokens_stay_in_the_order_of_the_convolutions() -> None:
    for step, counted in counts().items():
        assert counted.kernels.total() > 40, step
        assert not counted.copies, (step, counted.copies)


class RowsFirstNorm(nn.Module):
    """A norm whose result is in rows, as PyTorch's were before version 2.15."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        return cast("Tensor", self.norm(x)).contiguous()


def test_the_count_finds_the_copies_after_norms_with_another_order() -> None:
    with patch.object(inference, "ChannelsLastGroupNorm", RowsFirstNorm):
        counted = counts()
    assert counted["encoder"].copies.total() > 20
    assert counted["decoder"].copies.total() > 10
