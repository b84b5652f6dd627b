"""On a GPU no picture is copied to another memory order between the layers of the networks."""

from __future__ import annotations

import pytest

from benchmarks.layout_copies import LayoutCount, counts_of_steps, networks_on_gpu, norms_of_pytorch
from vidrestore.daefr import COMPACT

pytestmark = pytest.mark.filterwarnings("ignore:.*CUDA is not available")


def counts() -> dict[str, LayoutCount]:
    with networks_on_gpu(COMPACT) as (generator, estimator):
        return counts_of_steps(generator, estimator)


def test_pictures_and_tokens_stay_in_the_order_of_the_convolutions() -> None:
    for step, counted in counts().items():
        assert counted.kernels.total() > 40, step
        assert not counted.copies, (step, counted.copies)


def test_the_count_finds_the_copies_after_norms_of_pytorch() -> None:
    with norms_of_pytorch():
        counted = counts()
    assert counted["encoder"].copies.total() > 20
    assert counted["decoder"].copies.total() > 10
