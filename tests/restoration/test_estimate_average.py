"""Estimates of neighbouring frames are averaged, weighted by their predicted errors."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.support.restorers import estimate_of
from vidrestore.restoration.estimate_average import LARGEST_WEIGHT, average_estimates
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.types import FloatArray

SIDE = 128
CODE = 1 / 255


def clean(shift: float = 0.0) -> FloatArray:
    """A picture with detail of several sizes, moved to the right by `shift` pixels."""
    noise = np.random.default_rng(1).random((2 * SIDE, 2 * SIDE, 3), np.float32)
    coarse, fine = (cv2.GaussianBlur(noise, (0, 0), s) - 0.5 for s in (8, 2.5))
    wide = (0.5 + 4 * coarse + 1.2 * fine).clip(0, 1)
    move = np.array([[1, 0, shift - SIDE / 2], [0, 1, -SIDE / 2]])
    return np.asarray(cv2.warpAffine(wide, move, (SIDE, SIDE), flags=cv2.INTER_CUBIC).clip(0, 1), np.float32)


def noisy(seed: int, shift: float = 0.0, codes: float = 6.0) -> FaceEstimate:
    """An estimate with an error of so many codes, which it knows of."""
    error = np.random.default_rng(seed).standard_normal((SIDE, SIDE, 3)).astype(np.float32)
    picture = np.asarray((clean(shift) + codes * CODE * error).clip(0, 1), np.float32)
    return estimate_of(picture, scale=codes * CODE / np.sqrt(2))


def error_of(estimate: FaceEstimate) -> float:
    inside = (slice(12, -12), slice(12, -12))
    return float(np.sqrt(np.mean((estimate.mean[inside] - clean()[inside]) ** 2)))


@pytest.mark.parametrize("pixels", [0.0, 2.0])
def test_averaging_reduces_noise_where_frames_show_the_same(pixels: float) -> None:
    own = noisy(0)
    others = [(1.0, noisy(10 + away, pixels * away)) for away in (-2, -1, 1, 2)]
    averaged = average_estimates(own, others)
    assert error_of(averaged) < 0.6 * error_of(own)
    assert (averaged.scale <= own.scale).all()
    assert np.median(averaged.scale[..., 0]) < 0.8 * np.median(own.scale[..., 0])
    assert averaged.is_certain == own.is_certain


def test_a_frame_that_is_certain_is_left_alone() -> None:
    own = estimate_of(clean(), scale=2e-5, is_certain=True)
    averaged = average_estimates(own, [(1.0, noisy(seed)) for seed in range(4)])
    assert np.abs(averaged.mean - own.mean).max() < 0.1 * CODE


def test_a_surer_neighbour_counts_for_more() -> None:
    own = noisy(0, codes=6)
    sure, unsure = (average_estimates(own, [(1.0, noisy(1, codes=c))]) for c in (1.5, 6))
    assert error_of(sure) < 0.4 * error_of(own)
    assert error_of(sure) < error_of(unsure) < error_of(own)


def test_the_weight_of_a_neighbouring_frame_is_limited() -> None:
    own = estimate_of(np.full((SIDE, SIDE, 3), 0.5, np.float32), scale=0.1)
    perfect = estimate_of(np.full((SIDE, SIDE, 3), 0.504, np.float32), scale=2e-5)
    averaged = average_estimates(own, [(1.0, perfect)])
    assert averaged.mean.mean() == pytest.approx(
        (0.5 + LARGEST_WEIGHT * 0.504) / (1 + LARGEST_WEIGHT), abs=1e-4
    )


def test_where_one_part_is_unsure_only_that_part_is_averaged() -> None:
    own = noisy(0)
    scale = own.scale.copy()
    scale[:, : SIDE // 4] = 2e-5
    half = replace(own, scale=scale)
    averaged = average_estimates(half, [(1.0, noisy(seed)) for seed in (1, 2, 3, 4)])
    change = np.abs(averaged.mean - half.mean)
    assert change[:, : SIDE // 2 - 16].max() < 0.25 * CODE
    assert change[:, SIDE // 2 + 16 :].mean() > CODE


def test_a_closed_eye_is_not_blended_with_the_open_eye_of_other_frames() -> None:
    own, open_eye = noisy(0, codes=2), noisy(1, codes=2)
    shut = own.mean.copy()
    shut[40:70, 40:90] = [0.75, 0.6, 0.5]
    own = replace(own, mean=shut)
    averaged = average_estimates(own, [(1.0, open_eye)] * 4)
    # It stays as it is, while what is around it is steadied.
    assert np.abs(averaged.mean - shut)[48:62, 48:82].max() < 4 * CODE
    assert np.abs(averaged.mean - shut)[90:, 100:].mean() > 0.3 * CODE


def test_neighbours_of_other_crop_sizes_are_left_out() -> None:
    own = noisy(0)
    larger = estimate_of(np.zeros((2 * SIDE, 2 * SIDE, 3), np.float32))
    assert average_estimates(own, [(1.0, larger)]) is own
    assert average_estimates(own, []) is own
    with_both = average_estimates(own, [(1.0, larger), (1.0, noisy(1))])
    assert np.array_equal(with_both.mean, average_estimates(own, [(1.0, noisy(1))]).mean)
