"""Of a picture at two sizes, the more certain estimate counts in each band."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.evidence import tiny_network
from vidrestore.evidence import Evidence, scales_of_bands, split_bands
from vidrestore.evidence.pyramid import BANDS, downsample, upsample
from vidrestore.evidence.two_sizes import HALF_SIZE_SHARE, LARGEST_FACE, TwoSizeEvidence, combine

seeds = st.integers(0, 2**31)


def evidence(size: int, scale: float, seed: int = 0) -> Evidence:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.rand(1, 3, size, size, generator=generator)
    return Evidence(mean, torch.full((1, BANDS, size // 2, size // 2), scale))


def largest(values: Tensor) -> float:
    return values.abs().max().item()


def test_an_uncertain_half_size_changes_nothing() -> None:
    full = evidence(64, 1e-6, 1)
    assert largest(combine(full, evidence(32, 1.0, 2)).mean - full.mean) < 1e-5


def test_a_certain_half_size_gives_all_but_the_finest_band() -> None:
    full, half = evidence(64, 1.0, 1), evidence(32, 1e-6, 2)
    mean = combine(full, half).mean
    finest = full.mean - upsample(downsample(full.mean))
    assert largest(mean - finest - upsample(half.mean)) < 1e-4


def test_equally_certain_means_are_averaged() -> None:
    full, half = evidence(64, 0.1, 1), evidence(32, 0.1, 2)
    half = Evidence(half.mean, half.scale / HALF_SIZE_SHARE)
    expected = full.mean + upsample(half.mean - downsample(full.mean)) / 2
    assert largest(combine(full, half).mean - expected) < 1e-6


@pytest.mark.parametrize("codes", [0.05, 0.5])
def test_a_certain_estimate_at_full_size_stays_as_it_is(codes: float) -> None:
    full = evidence(64, codes / 255, 1)
    result = combine(full, evidence(32, 1e-6, 2))
    assert largest(result.mean - full.mean) < 1e-6
    assert torch.equal(result.scale, full.scale)


def test_the_part_of_an_unsure_face_that_is_certain_stays() -> None:
    full, half = evidence(128, 3 / 255, 1), evidence(64, 1e-6, 2)
    full.scale[..., 32:] = 0.1 / 255
    change = (combine(full, half).mean - full.mean).abs().amax((0, 1))
    assert change[:, 16:48].min() > 0
    assert change[:, 96:].max() < 0.01 * change[:, :32].max()


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(1e-5, 1.0), st.floats(1e-5, 1.0))
def test_scales_lie_between_both_and_the_finest_is_that_of_the_full_size(
    seed: int, one: float, other: float
) -> None:
    full, half = evidence(64, one, seed), evidence(32, other, seed)
    scale = combine(full, half).scale
    assert torch.equal(scale[:, 0], full.scale[:, 0])
    assert scale[:, 1:].min() >= min(one, other) * (1 - 1e-5)
    assert scale[:, 1:].max() <= max(one, other) * (1 + 1e-5)


def test_two_views_that_agree_stay_as_they_are() -> None:
    full = evidence(64, 0.1)
    half = Evidence(downsample(full.mean), evidence(32, 0.02).scale)
    assert largest(combine(full, half).mean - full.mean) < 1e-6


def test_a_band_counts_where_its_own_scale_is_small() -> None:
    """The scale of band k at half size is that of band k + 1 at full size."""
    full, half = evidence(64, 1.0, 1), evidence(32, 1.0, 2)
    full.scale[:, 2] = 1e-6
    half.scale[:, 1] = 1.0
    mean = combine(full, half).mean
    ours, theirs, other = (split_bands(picture) for picture in (mean, full.mean, upsample(half.mean)))
    assert largest(scales_of_bands(combine(full, half).scale)[2]) < 1e-5
    # The pyramid leaks between bands, so band 2 is only nearer to the certain one.
    assert largest(ours[2] - theirs[2]) < 0.5 * largest(other[2] - theirs[2])


@pytest.mark.parametrize("size", [16, 48, 64, 80])
def test_every_size_of_the_network_has_an_estimate(size: int) -> None:
    faces = torch.rand(2, 3, size, size)
    result = TwoSizeEvidence(tiny_network())(faces)
    assert result.mean.shape == faces.shape
    assert result.scale.shape == (2, BANDS, size // 2, size // 2)
    assert torch.isfinite(result.mean).all()


@pytest.mark.parametrize(("size", "is_used"), [(2 * LARGEST_FACE, True), (2 * LARGEST_FACE + 16, False)])
def test_the_network_for_whole_faces_is_used_for_small_ones_only(size: int, is_used: bool) -> None:
    faces = torch.rand(1, 3, size, size)
    one, other = tiny_network(1), tiny_network(2)
    both, alone = TwoSizeEvidence(one, other)(faces), TwoSizeEvidence(one)(faces)
    assert torch.equal(both.mean, alone.mean) is not is_used


def test_the_half_size_is_the_mean_of_each_two_by_two_pixels() -> None:
    """So a change that these means do not show reaches only the estimate at full size."""
    network, whole = tiny_network(1), tiny_network(2)
    faces = torch.rand(1, 3, 64, 64)
    pattern = 0.1 * (torch.arange(64) % 2 * 2.0 - 1)
    changed = TwoSizeEvidence(network, whole)(faces + pattern)
    half = whole(
        (faces[..., 0::2, 0::2] + faces[..., 1::2, 0::2] + faces[..., 0::2, 1::2] + faces[..., 1::2, 1::2])
        / 4
    )
    expected = combine(network(faces + pattern), half)
    assert largest(changed.mean - expected.mean) < 1e-5
