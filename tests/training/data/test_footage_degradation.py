"""The film recipe damages like footage and keeps what it must: size, grey, place."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.training.config import DataConfig
from vidrestore.training.data.dataset import choose_recipe
from vidrestore.training.data.footage_degradation import (
    comb,
    degrade_as_broadcast,
    degrade_as_film,
    grain,
    tape,
    wear,
)
from vidrestore.video.h264_round_trip import h264_still

RNG = np.random.default_rng(3)
FACE = np.asarray(cv2.resize(RNG.random((9, 9, 3), np.float32), (96, 96))).clip(0, 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_target_and_damaged_face_are_pictures_of_one_size_and_one_colourfulness(seed: int) -> None:
    target, degraded = degrade_as_film(FACE, np.random.default_rng(seed))
    for picture in (target, degraded):
        assert picture.shape == FACE.shape
        assert picture.dtype == np.float32
        assert 0 <= picture.min() <= picture.max() <= 1
    assert np.abs(degraded * 255 - np.round(degraded * 255)).max() < 1e-3
    if np.ptp(target, axis=2).max() < 1e-6:  # black and white: no damage brings colour, codecs round
        assert np.ptp(degraded, axis=2).max() < 4.5 / 255


def test_the_same_seed_damages_alike() -> None:
    for one, two in zip(
        degrade_as_film(FACE, np.random.default_rng(7)),
        degrade_as_film(FACE, np.random.default_rng(7)),
        strict=True,
    ):
        assert np.array_equal(one, two)
    assert np.array_equal(
        degrade_as_broadcast(FACE, np.random.default_rng(7)),
        degrade_as_broadcast(FACE, np.random.default_rng(7)),
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**9))
def test_a_broadcast_at_a_low_bit_rate_takes_detail_and_leaves_the_face_in_place(seed: int) -> None:
    fine = (FACE + 0.1 * np.random.default_rng(0).standard_normal(FACE.shape)).clip(0, 1).astype(np.float32)
    degraded = degrade_as_broadcast(fine, np.random.default_rng(seed))
    assert degraded.shape == fine.shape
    assert 0 <= degraded.min() <= degraded.max() <= 1

    def detail(picture: np.ndarray) -> float:
        return float(np.abs(picture - cv2.GaussianBlur(picture, (0, 0), 1.5)).mean())

    assert detail(degraded) < 0.8 * detail(fine)
    coarse = [np.asarray(cv2.GaussianBlur(x, (0, 0), 6)).mean(axis=2) for x in (degraded, fine)]
    assert np.corrcoef(coarse[0].ravel(), coarse[1].ravel())[0, 1] > 0.65


def test_the_damage_stays_where_the_face_is() -> None:
    """Over many draws the mean damaged face is the mean target, only softer: nothing is shifted."""
    pairs = [degrade_as_film(FACE, np.random.default_rng(seed)) for seed in range(150)]
    target, degraded = (np.mean([p[k] for p in pairs], axis=0).mean(axis=2) for k in (0, 1))
    soft = np.asarray(cv2.GaussianBlur(target, (0, 0), 3))[8:-8, 8:-8]
    errors = {
        (dx, dy): float(np.abs(np.roll(degraded, (dy, dx), (0, 1))[8:-8, 8:-8] - soft).mean())
        for dx in (-2, 0, 2)
        for dy in (-2, 0, 2)
    }
    assert min(errors, key=errors.__getitem__) == (0, 0)


def test_grain_has_the_strength_requested_at_mid_grey_and_less_in_black() -> None:
    def strength(level: float) -> float:
        flat = np.full((200, 200, 3), level, np.float32)
        return float((grain(flat, 0.05, 0.8, np.random.default_rng(0)) - flat).std())

    assert strength(0.5) == pytest.approx(0.05, rel=0.05)
    assert strength(0.0) < 0.5 * strength(0.5)


def test_combing_moves_every_other_line_only() -> None:
    woven = comb(FACE, 0.05, np.random.default_rng(1))
    assert np.array_equal(woven[::2], FACE[::2])
    assert not np.allclose(woven[1::2], FACE[1::2], atol=0.01)


def test_tape_and_wear_leave_most_of_the_picture_recognisable() -> None:
    for damage in (tape, wear):
        for seed in range(10):
            changed = np.asarray(damage(FACE, np.random.default_rng(seed)), np.float64)
            assert np.corrcoef(changed.ravel(), FACE.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("size", [(64, 64), (65, 47), (34, 34)])
def test_a_still_through_x264_comes_back_in_place_and_worse_at_worse_quality(size: tuple[int, int]) -> None:
    picture = np.asarray(cv2.resize(FACE, size[::-1]), np.float32).clip(0, 1)
    errors = [float(np.abs(h264_still(picture, crf=crf) - picture).mean()) for crf in (5, 25, 45)]
    assert h264_still(picture, crf=20).shape == picture.shape
    assert errors[0] < 0.05
    assert errors[0] < errors[1] < errors[2]


def test_recipes_are_drawn_by_their_shares() -> None:
    config = DataConfig(faces=Path(), recipes={"specification": 1.0, "mild": 0.0, "film": 3.0})
    rng = np.random.default_rng(0)
    drawn = [choose_recipe(config, rng) for _ in range(2000)]
    assert drawn.count("mild") == 0
    assert drawn.count("film") / 2000 == pytest.approx(0.75, abs=0.04)
