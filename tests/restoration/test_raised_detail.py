"""The fusion rule strengthens the estimate's own detail where the estimate is unsure."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fusion_faces import (
    CODE,
    band_of,
    evidence_of,
    low_passed,
    luma_of,
    rms,
    scales,
    seeds,
    texture,
    textures,
)
from vidrestore.restoration.fusion import fuse, possible_change


def test_the_estimates_own_detail_becomes_stronger_where_it_is_unsure() -> None:
    mean = 0.3 + 0.4 * texture("octaves", 8)
    raised = fuse(evidence_of(mean, 0.03), mean)  # nothing of the drawn face is new
    for k in (0, 1):
        before, after = band_of(mean, k), band_of(raised.faces, k)
        likeness = (before * after).mean() / (rms(before) * rms(after))
        assert likeness > 0.9
        assert 1.1 < rms(after) / rms(before) < 2
    without = fuse(evidence_of(mean, 0.03), mean, raised=(0, 0, 0, 0))
    assert torch.equal(raised.drawn, without.drawn)


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales, st.floats(0, 2))
def test_raised_detail_adds_no_more_energy_than_is_missing(
    shown: str, seed: int, scale: float, amount: float
) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    evidence = evidence_of(mean, scale)
    (raised, plain) = (
        fuse(evidence, mean, amount=amount, raised=shares).faces for shares in ((1, 1, 1, 1), (0, 0, 0, 0))
    )
    assert rms(raised - plain) <= amount * possible_change(evidence).item() + 1e-6


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales, st.floats(0, 1))
def test_the_surer_the_estimate_the_less_is_raised(shown: str, seed: int, scale: float, share: float) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    less, more = (
        rms(fuse(evidence_of(mean, s), mean, band_amounts=(0,) * 5).faces - mean)
        for s in (share * scale, scale)
    )
    assert less <= 1.02 * more + 1e-6


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales)
def test_raised_detail_puts_no_halos_around_edges(shown: str, seed: int, scale: float) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    faces = fuse(evidence_of(mean, scale), mean, band_amounts=(0,) * 5).faces
    luma, before = (luma_of(picture)[0, 0].numpy() for picture in (faces, mean))
    around = np.ones((5, 5), np.uint8)
    assert (luma <= cv2.dilate(before, around) + 1e-5).all()
    assert (luma >= cv2.erode(before, around) - 1e-5).all()


def test_nothing_is_raised_at_a_resolution_that_the_footage_shows() -> None:
    mean = 0.3 + 0.4 * texture("octaves", 9)
    sure = fuse(evidence_of(mean, (0.03, 0, 0, 0, 0)), mean).faces
    assert rms(sure - mean) == 0  # single pixels depend on the next band
    unsure = fuse(evidence_of(mean, (0.03, 0.03, 0, 0, 0)), mean).faces
    change = low_passed(unsure, 2) - low_passed(mean, 2)
    assert rms(unsure - mean) > 2 * CODE
    assert rms(change) < 0.15 * rms(unsure - mean)
