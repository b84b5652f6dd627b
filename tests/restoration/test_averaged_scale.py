"""After averaging, an error is as large as its part that frames have in common, and less of the rest."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vidrestore.evidence import scales_of_bands, split_bands
from vidrestore.evidence.pyramid import BANDS
from vidrestore.restoration.averaged_scale import LEAST_SHARE, averaged_scale

SIDE = 64
CODE = 1 / 255


def noise(seed: int) -> Tensor:
    """(1, 1, SIDE, SIDE), 2 codes strong."""
    return 2 * CODE * torch.randn(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def scale_of(error: Tensor) -> Tensor:
    """(1, K, SIDE / 2, SIDE / 2): the true scale of an error in each band, the same everywhere."""
    scales = [band.square().mean().sqrt() / math.sqrt(2) for band in split_bands(error)]
    return torch.stack(scales)[None, :, None, None].expand(1, BANDS, SIDE // 2, SIDE // 2)


@pytest.mark.parametrize(("common", "independent"), [(0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (2.0, 0.5)])
def test_the_scale_becomes_that_of_the_average(common: float, independent: float) -> None:
    frames = [common * noise(99) + independent * noise(seed) for seed in range(4)]
    average = torch.stack(frames).mean(0)
    predicted = scales_of_bands(averaged_scale(scale_of(frames[0]), frames[0] - average))
    for band, scale in list(zip(split_bands(average), predicted, strict=True))[:3]:
        assert scale.median().item() * math.sqrt(2) == pytest.approx(
            band.square().mean().sqrt().item(), rel=0.25, abs=0.05 * CODE
        )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 0.2), st.floats(0, 20))
def test_the_scale_never_rises_and_never_vanishes(seed: int, scale: float, strength: float) -> None:
    before = torch.full((1, BANDS, SIDE // 2, SIDE // 2), scale)
    after = averaged_scale(before, strength * noise(seed))
    assert (after <= before + 1e-7).all()
    assert (after >= math.sqrt(LEAST_SHARE) * before - 1e-7).all()


def test_where_nothing_was_removed_the_scale_stays() -> None:
    before = torch.rand(1, BANDS, SIDE // 2, SIDE // 2, generator=torch.Generator().manual_seed(1))
    removed = noise(2)
    removed[..., : SIDE // 2] = 0
    after = averaged_scale(before, removed)
    assert torch.allclose(after[:, :2, :, :8], before[:, :2, :, :8])
    assert not torch.equal(after, before)


def test_a_grey_change_gives_the_same_scale_in_one_and_three_channels() -> None:
    before = torch.full((1, BANDS, SIDE // 2, SIDE // 2), 0.1)
    grey = averaged_scale(before, noise(3).expand(1, 3, SIDE, SIDE))
    assert torch.allclose(grey, averaged_scale(before, noise(3)))
