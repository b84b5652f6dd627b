"""Shifted frames, swapped pictures and the truth of another video are reported."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.support.frames import make_frame
from vidrestore.evaluation.pairing import FrameOrder, PicturePairs
from vidrestore.types import Frame


def scene(seed: int, shift: int = 0) -> Frame:
    """A camera that moves over a landscape."""
    noise = np.random.default_rng(seed).normal(0, 1, (90, 400))
    plane = np.asarray(cv2.GaussianBlur(noise, (0, 0), 6))
    codes = np.clip(120 + 50 * plane / plane.std(), 0, 255).astype(np.uint8)
    return make_frame([np.ascontiguousarray(codes[:, shift : shift + 160])], "gray")


def restored(frame: Frame, seed: int = 0) -> Frame:
    """The same, softer, darker and noisy."""
    plane = cv2.GaussianBlur(frame.planes[0].astype(np.float32), (0, 0), 2) * 0.8
    noise = np.random.default_rng(seed).normal(0, 8, plane.shape)
    return replace(frame, planes=(np.clip(plane + noise, 0, 255).astype(np.uint8),))


def film(seed: int, count: int = 30) -> list[Frame]:
    return [scene(seed, 4 * number) for number in range(count)]


def test_frames_in_their_places_pass() -> None:
    order = FrameOrder()
    for number, frame in enumerate(film(1)):
        order.add(restored(frame, number), frame)
    assert order.check().passed


@pytest.mark.parametrize(("late", "words"), [(1, "1 frame earlier"), (2, "2 frames earlier"), (-1, "later")])
def test_a_shifted_video_is_noticed(late: int, words: str) -> None:
    frames, order = film(2, 40), FrameOrder()
    for number in range(5, 30):
        order.add(restored(frames[number - late], number), frames[number])
    check = order.check()
    assert not check.passed
    assert words in check.sentence


def test_a_frame_that_was_dropped_on_the_way_is_noticed_from_there_on() -> None:
    frames, order = film(3, 40), FrameOrder()
    for number in range(30):
        shown = frames[number if number < 12 else number + 1]
        order.add(restored(shown, number), frames[number])
    check = order.check()
    assert not check.passed
    assert "from frame 12" in check.sentence or "from frame 11" in check.sentence


def test_a_still_scene_is_not_called_shifted() -> None:
    order = FrameOrder()
    for number in range(20):
        order.add(restored(scene(4), number), scene(4))
    assert order.check().passed


def test_the_truth_of_another_video_is_noticed() -> None:
    order = FrameOrder()
    for number, (ours, theirs) in enumerate(zip(film(5), film(6), strict=True)):
        order.add(restored(ours, number), theirs)
    check = order.check()
    assert not check.passed
    assert "is it the truth of this video" in check.sentence


def test_pictures_in_their_places_pass() -> None:
    pairs = PicturePairs()
    for number in range(6):
        pairs.add(f"{number}.png", restored(scene(number)), scene(number))
    assert pairs.check().passed


def test_two_pictures_that_were_swapped_are_named() -> None:
    pairs, order = PicturePairs(), [0, 1, 3, 2, 4]
    for number, other in enumerate(order):
        pairs.add(f"{number}.png", restored(scene(number)), scene(other))
    check = pairs.check()
    assert not check.passed
    assert "2.png looks like the truth of 3.png" in check.sentence
    assert "1 more" in check.sentence


def test_a_single_picture_with_the_truth_of_another_is_noticed() -> None:
    pairs = PicturePairs()
    pairs.add("a.png", scene(8), scene(9))
    assert not pairs.check().passed
