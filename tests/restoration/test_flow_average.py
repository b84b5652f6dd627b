"""Neighbouring pictures are averaged along a face's motion, only where they show the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from vidrestore.restoration.flow_average import COMPARED_SIDE, MISMATCH_CODES, average_along_motion
from vidrestore.types import FloatArray

SIDE = 128


def face(shift: float = 0.0) -> FloatArray:
    """A picture with detail of several sizes, moved to the right by `shift` pixels."""
    noise = np.random.default_rng(1).random((2 * SIDE, 2 * SIDE, 3), np.float32)
    coarse, fine = (cv2.GaussianBlur(noise, (0, 0), s) - 0.5 for s in (8, 2.5))
    wide = (0.5 + 4 * coarse + 1.2 * fine).clip(0, 1)
    move = np.array([[1, 0, shift - SIDE / 2], [0, 1, -SIDE / 2]])
    return np.asarray(cv2.warpAffine(wide, move, (SIDE, SIDE), flags=cv2.INTER_CUBIC).clip(0, 1), np.float32)


def drawn(picture: FloatArray, seed: int) -> FloatArray:
    """The picture with an error of its own, as a network draws it."""
    error = np.random.default_rng(seed).standard_normal(picture.shape).astype(np.float32)
    return np.asarray((picture + 0.05 * error).clip(0, 1), np.float32)


def distance(a: FloatArray, b: FloatArray) -> float:
    inside = (slice(12, -12), slice(12, -12))
    return float(np.sqrt(np.mean((a[inside] - b[inside]) ** 2)))


def test_a_picture_without_neighbours_stays_as_it_is() -> None:
    own = face()
    assert average_along_motion(own, []) == pytest.approx(own, abs=1e-7)


@pytest.mark.parametrize("pixels", [0.0, 0.7, 3.0])
def test_errors_drawn_again_in_each_frame_average_away_though_the_face_moves(pixels: float) -> None:
    own = drawn(face(), 10)
    others = [(1.0, drawn(face(pixels * away), 20 + away)) for away in (-2, -1, 1, 2)]
    averaged = average_along_motion(own, others)
    assert distance(averaged, face()) < 0.6 * distance(own, face())


def test_moving_detail_is_not_smeared() -> None:
    others = [(1.0, face(3.0 * away)) for away in (-2, -1, 1, 2)]
    averaged = average_along_motion(face(), others)
    unmoved = (face() + sum(other for _, other in others)) / 5
    assert distance(averaged, face()) < 0.2 * distance(np.asarray(unmoved, np.float32), face())


def test_what_a_neighbour_shows_instead_does_not_shine_through() -> None:
    own, covered = face(), face()
    covered[40:90, 40:90] = [0.9, 0.1, 0.1]  # a hand before the face
    averaged = average_along_motion(own, [(1.0, covered)] * 4)
    assert np.abs(averaged - own)[50:80, 50:80].max() < 0.02


def test_a_neighbour_counts_by_its_weight() -> None:
    own, brighter = np.full((SIDE, SIDE, 3), 0.5, np.float32), np.full((SIDE, SIDE, 3), 0.51, np.float32)
    half, full = (average_along_motion(own, [(w, brighter)]).mean() for w in (0.5, 1.0))
    assert 0.502 < half < full < 0.505


@pytest.mark.parametrize("side", [2, SIDE // 2, SIDE])
def test_a_weight_may_be_a_map_of_any_resolution(side: int) -> None:
    own, brighter = np.full((SIDE, SIDE, 3), 0.5, np.float32), np.full((SIDE, SIDE, 3), 0.51, np.float32)
    weight = np.zeros((side, side), np.float32)
    weight[:, side // 2 :] = 1
    averaged = average_along_motion(own, [(weight, brighter)])
    assert averaged[:, : SIDE // 8] == pytest.approx(0.5, abs=1e-6)
    assert averaged[:, -SIDE // 8 :].mean() == pytest.approx(0.505, abs=5e-4)


def test_the_average_is_the_weighted_mean_of_moved_pictures_pixel_by_pixel() -> None:
    own, others = drawn(face(), 10), [(1.0, drawn(face(2), 11)), (0.4, drawn(face(-1), 12))]
    greys = [grey(picture) for picture in (own, *(other for _, other in others))]
    total, whole = own.astype(float), np.ones((SIDE, SIDE, 1))
    for (weight, other), other_grey in zip(others, greys[1:], strict=True):
        estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        flow = np.asarray(estimator.calc(greys[0], other_grey, np.empty(0)), np.float32)
        unlike = cv2.blur(
            np.abs(moved(other_grey, flow).astype(np.float32) - greys[0]), (COMPARED_SIDE, COMPARED_SIDE)
        )
        small = (weight * np.exp(-((unlike / MISMATCH_CODES) ** 2))).astype(np.float32)
        share = cv2.resize(small, (SIDE, SIDE)).astype(float)[..., None]
        total += share * moved(other, np.asarray(2 * cv2.resize(flow, (SIDE, SIDE)), np.float32))
        whole += share
    assert average_along_motion(own, others) == pytest.approx(total / whole, abs=1e-5)


def grey(picture: FloatArray) -> np.ndarray:
    full = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(full, (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
    return np.rint(255 * small).astype(np.uint8)


def moved(picture: np.ndarray, flow: FloatArray) -> np.ndarray:
    y, x = np.mgrid[0 : len(flow), 0 : len(flow)].astype(np.float32)
    across, down = np.asarray(x + flow[..., 0]), np.asarray(y + flow[..., 1])
    return np.asarray(
        cv2.remap(picture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), picture.dtype
    )


@pytest.mark.parametrize("side", [128, 192, 512])
def test_an_average_does_not_depend_on_faces_of_other_sizes_before_it(side: int) -> None:
    pictures = drawn(face(), 1), drawn(face(3.0), 2)
    own, other = (cv2.resize(picture, (2 * SIDE, 2 * SIDE)) for picture in pictures)
    earlier, moved = (cv2.resize(picture, (side, side)) for picture in pictures)

    def average(*, after_another_size: bool) -> FloatArray:
        with ThreadPoolExecutor(1) as thread:  # each thread has its own buffers for the motion
            if after_another_size:
                thread.submit(average_along_motion, earlier, [(1.0, moved)]).result()
            return thread.submit(average_along_motion, own, [(1.0, other)]).result()

    assert np.array_equal(average(after_another_size=True), average(after_another_size=False))
