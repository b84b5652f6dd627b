"""The bands of a pyramid give back the exact picture."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.evidence import merge_bands, split_bands
from vidrestore.evidence.pyramid import BANDS, MULTIPLE, downsample, upsample, without_leak


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rows=st.integers(1, 4),
    columns=st.integers(1, 4),
    channels=st.sampled_from([1, 3]),
    count=st.integers(1, BANDS),
)
def test_merging_the_bands_gives_the_picture_back(
    seed: int, rows: int, columns: int, channels: int, count: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    picture = torch.rand(2, channels, MULTIPLE * rows, MULTIPLE * columns, generator=generator)
    bands = split_bands(picture, count)
    assert [band.shape[-1] for band in bands] == [MULTIPLE * columns // 2**k for k in range(count)]
    # Each step of the way up adds what the step down took away, so only rounding is left.
    assert (merge_bands(bands) - picture).abs().max() < 1e-6


def test_the_step_down_is_the_binomial_filter_and_every_second_sample() -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 1, 32, 32)
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = torch.outer(taps, taps)[None, None]
    expected = F.conv2d(F.pad(picture, (1, 1, 1, 1), mode="replicate"), kernel, stride=2)
    assert torch.allclose(downsample(picture), expected, atol=1e-6)


def test_the_step_up_is_bilinear_around_the_same_centre() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    # Sample i of the small picture lies between samples 2 i and 2 i + 1 of the large one.
    assert torch.allclose(upsample(ramp)[0, 0, 0, 1:-1], (torch.arange(1.0, 15.0) - 0.5) / 2)


def test_a_ramp_keeps_its_place_on_the_way_down() -> None:
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    inner = downsample(ramp)[0, 0, 0, 1:-1]
    assert torch.allclose(inner, 2 * torch.arange(1.0, 15.0) + 0.5)


@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
def test_a_flat_picture_has_no_detail(level: float) -> None:
    *detail, rest = split_bands(torch.full((1, 3, 64, 64), level))
    assert all(band.abs().max() < 1e-6 for band in detail)
    assert torch.allclose(rest, torch.full_like(rest, level))


@pytest.mark.parametrize("side", [4, 16, 64])
def test_a_leak_is_removed_by_three_steps_down_and_up(side: int) -> None:
    torch.manual_seed(1)
    band, gain = torch.randn(2, 1, side, 2 * side), torch.rand(2, 1, side // 2, side)
    expected = band
    for _ in range(3):
        expected = expected - upsample((1 - gain) * downsample(expected))
    assert torch.allclose(without_leak(band, gain), expected, atol=1e-5)
    assert not torch.allclose(band, expected, atol=0.01)
