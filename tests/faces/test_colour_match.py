"""A generated face gets the footage's own brightness and colour."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidrestore.faces.colour_match import low_frequencies, match_colour

SIZE = 64


def test_matching_colour_removes_a_constant_offset_and_keeps_fine_detail() -> None:
    rng = np.random.default_rng(0)
    original = np.full((SIZE, SIZE, 3), 0.4, np.float32) + rng.normal(0, 0.05, (SIZE, SIZE, 3)).astype(
        np.float32
    )
    matched = match_colour(original + 0.2, original)
    assert np.allclose(matched, original, atol=1e-3)


def test_a_colour_cast_is_taken_out_and_detail_arrives() -> None:
    original = np.full((SIZE, SIZE, 3), 120 / 255, np.float32)
    stripes = (0.2 * np.sin(np.arange(SIZE) * 2)).astype(np.float32)[None, :, None]
    cast = np.array([0.3, -0.1, 0.0], np.float32)
    matched = match_colour(np.clip(original + stripes + cast, 0, 1), original)
    area = matched[16:48, 16:48] * 255
    assert np.abs(area.mean((0, 1)) - 120).max() < 2.5
    assert area.std((0, 1)).min() > 15


def test_a_face_from_grey_footage_gets_grey_detail() -> None:
    rng = np.random.default_rng(0)
    original = np.repeat(rng.random((SIZE, SIZE, 1), np.float32), 3, axis=2)
    matched = match_colour(rng.random((SIZE, SIZE, 3), np.float32), original)
    assert np.abs(matched - original).max() > 0.1
    assert np.ptp(matched, axis=2).max() < 1 / 255


@pytest.mark.parametrize("size", [256, 512])
def test_low_frequencies_on_a_small_copy_are_those_of_the_picture(size: int) -> None:
    rng = np.random.default_rng(0)
    coarse = cv2.resize(rng.random((12, 12, 3), np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    picture = (0.7 * coarse + 0.3 * rng.random((size, size, 3), np.float32)).astype(np.float32)
    exact = cv2.GaussianBlur(picture, (0, 0), size / 16, borderType=cv2.BORDER_REFLECT)
    assert np.abs(low_frequencies(picture, size / 16) - exact).max() < 1 / 255


def test_low_frequencies_of_small_crops_are_exact() -> None:
    picture = np.random.default_rng(0).random((30, 30, 3), np.float32)
    exact = cv2.GaussianBlur(picture, (0, 0), 30 / 16, borderType=cv2.BORDER_REFLECT)
    assert np.array_equal(low_frequencies(picture, 30 / 16), exact)
