"""Training data of the landmark network: faces, turned ones more often, and places without a face."""

from __future__ import annotations

import numpy as np
from skimage import data

from tests.support.faces import ASTRONAUT, still
from vidrestore.detection.embedded import EmbeddedDetector
from vidrestore.detection.yunet import YuNet
from vidrestore.faces.face_square import face_box, square_around
from vidrestore.training.data.portraits import rarity
from vidrestore.training.data.scenes import cover_face
from vidrestore.training.detector import landmarks
from vidrestore.training.detector.hard_negatives import SIDE, mine_hard_negatives
from vidrestore.training.detector.shared import prefetch_steps
from vidrestore.types import Detection

PERSON = (data.astronaut()[:300, 70:370].copy(), (ASTRONAUT - [70, 0]).astype(np.float32))


def test_prefetched_batches_are_each_computed_once_in_order() -> None:
    result: list[int] = []

    def make(step: int) -> int:
        result.append(step)
        return step

    assert list(prefetch_steps(make, 5)) == result == [0, 1, 2, 3, 4]


class Everywhere(YuNet):
    """Takes one place of every picture for a face."""

    def find(self, rgb: np.ndarray, turn: int = 0) -> list[Detection]:
        points = np.array([[110, 120], [178, 120], [144, 160], [118, 190], [170, 190]], np.float32)
        return [Detection(box=face_box(points), landmarks=points, score=0.5)]


def test_mined_places_hold_what_was_found_with_a_margin_around_it() -> None:
    rng = np.random.default_rng(0)
    pictures = [np.full((200, 200, 3), 77, np.uint8)]
    places = mine_hard_negatives([PERSON], pictures, Everywhere(), rng, 5)
    assert [place.shape for place in places] == [(SIDE, SIDE, 3)] * 5
    crop, _, face = landmarks.make_sample(*PERSON, _no_face(), hard_negatives=places)
    assert crop.shape == (64, 64, 3)
    assert not face


def test_a_covered_face_leaves_the_head_around_it_as_it_was() -> None:
    picture, points = PERSON
    covered = cover_face(300, PERSON, np.random.default_rng(3), [PERSON], [])
    changed = np.abs(covered.astype(int) - picture).max(2) > 12
    x, y, side = square_around(points)
    assert changed[int(y), int(x)]
    assert not changed[:, : int(x - 0.75 * side)].any()
    assert YuNet(least=0.7).find(picture)
    assert not EmbeddedDetector(YuNet()).detect(still(covered))


def test_turned_heads_are_drawn_more_often_than_frontal_ones() -> None:
    _, points = PERSON
    aside = points + np.array([[0, 0], [0, 0], [18, 0], [0, 0], [0, 0]], np.float32)
    assert 1.0 <= rarity(points) < 1.5
    assert 3.0 < rarity(aside) <= 6.0


def _no_face() -> np.random.Generator:
    """The first generator whose sample is one of the mined places."""
    for seed in range(100):
        draws = np.random.default_rng(seed).random(2)
        if draws[0] >= 0.6 and draws[1] < 0.4:
            return np.random.default_rng(seed)
    raise AssertionError
