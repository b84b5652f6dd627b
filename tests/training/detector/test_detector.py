"""What the detector's networks learn from: scenes whose faces lie where they say, places that show none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from skimage import data

from tests.support.faces import ASTRONAUT
from vidrestore.detection.face_square import square_around
from vidrestore.detection.finder_net import FaceFinder, find_squares
from vidrestore.training.data.scenes import dead_leaves, paste_portrait
from vidrestore.training.detector import finder, landmarks
from vidrestore.training.detector.hard_negatives import SIDE, mine_hard_negatives
from vidrestore.training.detector.shared import prefetch_steps
from vidrestore.types import FloatArray, Frame

PERSON = (data.astronaut()[:300, 70:370].copy(), (ASTRONAUT - [70, 0]).astype(np.float32))


def marked(colours: tuple[int, int, int]) -> tuple[np.ndarray, FloatArray]:
    """A grey portrait with a spot of one colour at the left eye."""
    picture = np.full((288, 288, 3), 120, np.uint8)
    points = np.array([[110, 120], [178, 120], [144, 160], [118, 190], [170, 190]], np.float32)
    picture[115:126, 105:116] = colours
    return picture, points


@pytest.mark.parametrize("seed", range(8))
def test_the_points_of_a_laid_portrait_lie_where_its_features_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    canvas, points = paste_portrait(
        np.zeros((160, 160, 3), np.uint8), marked((255, 0, 0)), np.array([80.0, 80.0]), 120.0, rng
    )
    red = canvas[..., 0].astype(int) - canvas[..., 1] > 100
    y, x = (axis.mean() for axis in np.nonzero(red))
    # Mirrored, the portrait's left eye is the picture's right one.
    assert min(np.hypot(*(points[eye] - [x, y])) for eye in (0, 1)) < 1.5
    assert np.hypot(*(square_around(points)[:2] - 80)) < 3
    assert points[0, 0] < points[1, 0]


def test_targets_name_the_cells_of_faces_of_the_sizes_to_be_found() -> None:
    squares = (np.array([40.0, 60.0, 30.0]), np.array([120.0, 120.0, 7.0]), np.array([100.0, 30.0, 60.0]))
    maps = finder.targets(finder.Scene(luma=np.zeros((160, 160), np.uint8), squares=squares))
    rows, columns = np.nonzero(maps[0] == 1)
    # The middle of the first is 40.5 / 8 - 0.5 = 4.56 cells from the left, and 7.06 from the top.
    assert set(zip(rows, columns, strict=True)) == {(7, 4), (7, 5)}
    assert maps[0, 15, 15] == 0  # far too small: no face to this network
    assert maps[0, 3, 12] == -1  # somewhat too large: neither right nor wrong
    assert maps[1:5, 7, 5] == pytest.approx([-0.4375, 0.0625, np.log2(30 / 28), 1])


def test_batches_are_made_one_ahead_and_none_in_vain() -> None:
    made: list[int] = []

    def make(step: int) -> int:
        made.append(step)
        return step

    assert list(prefetch_steps(make, 5)) == made == [0, 1, 2, 3, 4]


def test_a_few_steps_teach_the_finder_one_face() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    canvases = [dead_leaves(finder.SCENE_SIDE, rng, [PERSON], []) for _ in range(4)]
    scenes = [finder.make_scene(canvases[i % 4], [PERSON], rng) for i in range(16)]
    even = np.stack([finder.normalize_contrast(scene.luma) for scene in scenes])[:, None]
    wanted = torch.from_numpy(np.stack([finder.targets(scene) for scene in scenes]))
    network = FaceFinder()
    optimizer = torch.optim.AdamW(network.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        loss = finder._loss(network(torch.from_numpy(even)), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert find_squares(network.eval(), scenes[0].luma, min_score=0.9999, max_count=5) == []


@dataclass
class Everywhere:
    """A first step that takes one place of every picture for a face."""

    def propose(self, frame: Frame, *, quick: bool) -> list[FloatArray]:
        return [np.array([frame.width / 2, frame.height / 2, 40.0], np.float32)]


def test_mined_places_hold_what_was_proposed_with_room_around_it() -> None:
    rng = np.random.default_rng(0)
    places = mine_hard_negatives([PERSON], [np.full((200, 200, 3), 77, np.uint8)], [Everywhere()], rng, 5)
    assert [place.shape for place in places] == [(SIDE, SIDE, 3)] * 5
    crop, _, face = landmarks.make_sample(*PERSON, _no_face(), hard_negatives=places)
    assert crop.shape == (64, 64, 3)
    assert not face


def _no_face() -> np.random.Generator:
    """The first generator whose sample is one of the mined places."""
    for seed in range(100):
        draws = np.random.default_rng(seed).random(2)
        if draws[0] >= 0.6 and draws[1] < 0.4:
            return np.random.default_rng(seed)
    raise AssertionError
