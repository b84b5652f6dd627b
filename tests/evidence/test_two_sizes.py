"""Of a picture at two sizes, the more certain estimate counts in each band."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.evidence import TINY_REFINEMENT, tiny_network
from vidrestore.evidence import Evidence, scales_of_bands, split_bands
from vidrestore.evidence.pyramid import BANDS, upsample
from vidrestore.evidence.two_sizes import (
    HALF_SIZE_SHARE,
    LARGEST_HALF,
    SMALLEST_HALF,
    TwoSizeEvidence,
    combine,
    halved,
)

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
    finest = full.mean - upsample(halved(full.mean))
    assert largest(mean - finest - upsample(half.mean)) < 1e-4


def test_equally_certain_means_are_averaged() -> None:
    full, half = evidence(64, 0.1, 1), evidence(32, 0.1, 2)
    half = Evidence(half.mean, half.scale / HALF_SIZE_SHARE)
    expected = full.mean + upsample(half.mean - halved(full.mean)) / 2
    assert largest(combine(full, half).mean - expected) < 1e-6


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
    half = Evidence(halved(full.mean), evidence(32, 0.02).scale)
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


@pytest.mark.parametrize("size", [16, 48, 128, 144])
def test_every_size_of_the_network_has_an_estimate(size: int) -> None:
    faces = torch.rand(2, 3, size, size)
    result = TwoSizeEvidence(tiny_network())(faces)
    assert result.mean.shape == faces.shape
    assert result.scale.shape == (2, BANDS, size // 2, size // 2)
    assert torch.isfinite(result.mean).all()


@pytest.mark.parametrize(
    ("size", "is_used"),
    [
        (2 * SMALLEST_HALF - 16, False),
        (2 * SMALLEST_HALF, True),
        (2 * LARGEST_HALF, True),
        (2 * LARGEST_HALF + 16, False),
    ],
)
def test_the_network_for_whole_faces_is_used_at_the_sizes_it_knows(size: int, is_used: bool) -> None:
    faces = torch.rand(1, 3, size, size)
    one, other = tiny_network(1), tiny_network(2)
    both, alone = TwoSizeEvidence(one, other)(faces), TwoSizeEvidence(one)(faces)
    assert torch.equal(both.mean, alone.mean) is not is_used


@pytest.mark.parametrize(
    ("size", "is_refined"),
    [
        (2 * SMALLEST_HALF - 16, False),
        (2 * SMALLEST_HALF, True),
        (2 * SMALLEST_HALF + 16, True),
        (2 * LARGEST_HALF, True),
        (2 * LARGEST_HALF + 16, False),
    ],
)
def test_the_estimate_of_whole_faces_is_refined_at_the_sizes_it_has(size: int, is_refined: bool) -> None:
    faces, network, whole = torch.rand(2, 3, size, size), tiny_network(1), tiny_network(2)
    refinement = tiny_network(3, config=TINY_REFINEMENT)
    result = TwoSizeEvidence(network, whole, refinement)(faces)
    averaged = TwoSizeEvidence(network, whole)(faces)
    assert result.scale.shape == averaged.scale.shape
    assert torch.equal(result.mean, averaged.mean) is not is_refined
    if size == 2 * LARGEST_HALF:
        assert torch.equal(result.mean, refinement(faces, whole(halved(faces))).mean)


def test_small_faces_are_estimated_at_their_own_size_only() -> None:
    network, faces = tiny_network(), torch.rand(1, 3, 2 * SMALLEST_HALF - 16, 2 * SMALLEST_HALF - 16)
    assert torch.equal(TwoSizeEvidence(network)(faces).mean, network(faces).mean)


def test_the_half_size_is_the_mean_of_each_two_by_two_pixels() -> None:
    """So a change that these means do not show reaches only the estimate at full size."""
    network, whole = tiny_network(1), tiny_network(2)
    faces = torch.rand(1, 3, 128, 128)
    pattern = 0.1 * (torch.arange(128) % 2 * 2.0 - 1)
    changed = TwoSizeEvidence(network, whole)(faces + pattern)
    expected = combine(network(faces + pattern), whole(halved(faces)))
    assert largest(changed.mean - expected.mean) < 1e-5


def test_two_perfect_estimates_stay_perfect() -> None:
    """Both know the truth: its means of 2 x 2 pixels are no other picture at half size."""
    truth = torch.rand(1, 3, 64, 64)
    full, half = Evidence(truth, evidence(64, 0.01).scale), Evidence(halved(truth), evidence(32, 0.01).scale)
    assert largest(combine(full, half).mean - truth) < 1e-6
