"""Degradations of every kind keep a picture a picture, and are the same for the same seed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.training.data import evidence_degradation
from vidrestore.training.data.evidence_degradation import (
    CLEAN,
    NEARLY_CLEAN,
    correlated_noise,
    degrade_for_evidence,
    disc,
    moving_codec,
    signal_noise,
    streak,
    white_noise,
)
from vidrestore.types import FloatArray

seeds = st.integers(0, 2**31)
OPERATIONS = [
    evidence_degradation._noise,
    evidence_degradation._analogue_video,
    evidence_degradation._sharpening,
    evidence_degradation._film_wear,
    evidence_degradation._interlacing,
    evidence_degradation._dropouts,
    evidence_degradation._codec,
    evidence_degradation._optics,
]


def picture(side: int = 48, seed: int = 0) -> FloatArray:
    coarse = np.random.default_rng(seed).random((8, 8, 3), np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1), np.float32)


@settings(max_examples=100, deadline=None)
@given(seeds, st.sampled_from([47, 48, 80]))
def test_the_target_and_its_copy_are_pictures_of_8_bits(seed: int, side: int) -> None:
    clean = picture(side)
    before = clean.copy()
    for result in degrade_for_evidence(clean, np.random.default_rng(seed)):
        assert result.shape == clean.shape
        assert result.dtype == np.float32
        assert result.min() >= 0
        assert result.max() <= 1
        assert np.abs(result * 255 - np.rint(result * 255)).max() < 1e-3
    assert np.array_equal(clean, before)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_a_seed_gives_the_same_pair_each_time(seed: int) -> None:
    one, other = (degrade_for_evidence(picture(), np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


def test_a_share_of_the_pictures_stays_clean_and_another_nearly() -> None:
    changes = []
    for seed in range(400):
        target, degraded = degrade_for_evidence(picture(), np.random.default_rng(seed))
        changes.append(float(np.abs(degraded - target).mean() * 255))
    clean = np.mean([change == 0 for change in changes])
    nearly = np.mean([0 < change < 3 for change in changes])
    assert CLEAN - 0.04 < clean < CLEAN + 0.08
    assert nearly > NEARLY_CLEAN - 0.08
    assert np.mean([change > 8 for change in changes]) > 0.25


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.__name__)
def test_every_kind_of_damage_changes_pictures_of_any_size(operation: evidence_degradation.Operation) -> None:
    changed = []
    for seed, (height, width) in enumerate([(48, 48), (14, 14), (31, 50), (48, 20)] * 6):
        given_picture = np.ascontiguousarray(picture(64, seed)[:height, :width])
        before = given_picture.copy()
        result = operation(given_picture, np.random.default_rng(seed))
        assert result.shape == (height, width, 3)
        assert np.isfinite(result).all()
        assert np.array_equal(given_picture, before), "its input was written to"
        changed.append(float(np.abs(np.clip(result, 0, 1) - before).mean()))
    assert np.mean(changed) > 0.002


def test_noise_has_the_strength_that_is_requested() -> None:
    flat = np.full((200, 200, 3), 0.5, np.float32)
    for result in (
        white_noise(flat, 0.05, np.random.default_rng(0), colour=1.0),
        white_noise(flat, 0.05, np.random.default_rng(0), colour=0.0),
        signal_noise(flat, 0.05 / np.sqrt(0.58), np.random.default_rng(0)),
    ):
        assert (result - flat).std() == pytest.approx(0.05, rel=0.05)
    for seed in range(10):
        error = correlated_noise(flat, 0.05, np.random.default_rng(seed)) - flat
        assert error.std() == pytest.approx(0.05, rel=0.1)


def test_white_noise_is_grey_or_coloured() -> None:
    flat = np.full((64, 64, 3), 0.5, np.float32)
    grey = white_noise(flat, 0.05, np.random.default_rng(0), colour=0.0)
    coloured = white_noise(flat, 0.05, np.random.default_rng(0), colour=1.0)
    assert np.ptp(grey, axis=2).max() < 1e-6
    assert np.ptp(coloured, axis=2).mean() > 0.03


@settings(deadline=None)
@given(st.floats(0.5, 8), st.floats(0, np.pi))
def test_kernels_of_blur_keep_the_brightness(size: float, angle: float) -> None:
    for kernel in (disc(size), streak(size, angle)):
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        assert kernel.min() >= 0
        assert kernel.shape[0] == kernel.shape[1]
        assert kernel.shape[0] % 2 == 1


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_a_moving_picture_comes_back_in_its_place(seed: int) -> None:
    given_picture = picture(48)
    result = moving_codec(given_picture, np.random.default_rng(seed))
    assert result.shape == given_picture.shape
    # The last frame is the picture itself: compression blurs it, nothing moves it away.
    assert np.abs(result - given_picture).mean() < 0.12
