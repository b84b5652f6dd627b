"""The face finder proposes the place of a face at any size, brightness and contrast."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage import data

from tests.support.faces import ASTRONAUT, still
from vidrestore.detection.finder_net import (
    FaceFinder,
    FinderProposals,
    cell_coordinates,
    find_squares,
    normalize_contrast,
)
from vidrestore.detection.landmark_net import square_around
from vidrestore.detection.weights_file import fuse_batchnorm
from vidrestore.errors import WeightsError
from vidrestore.types import FloatArray

SQUARE = square_around(ASTRONAUT)


def near(found: FloatArray, wanted: FloatArray) -> bool:
    moved = float(np.hypot(*(found[:2] - wanted[:2])))
    return moved < 0.2 * wanted[2] and 0.7 < found[2] / wanted[2] < 1.4


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0, 2.0])
def test_a_face_is_proposed_at_every_size(scale: float) -> None:
    shown = np.asarray(cv2.resize(data.astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    wanted = np.array([*((SQUARE[:2] + 0.5) * scale - 0.5), SQUARE[2] * scale])
    squares = FinderProposals().propose(still(shown), quick=False)
    assert any(near(square, wanted) for square in squares)


@pytest.mark.parametrize(("gain", "lift"), [(0.15, 5), (0.3, 160), (1.0, 0)])
def test_a_dark_or_faded_picture_gives_the_same_place(gain: float, lift: float) -> None:
    shown = np.clip(data.astronaut() * gain + lift, 0, 255).astype(np.uint8)
    assert any(near(square, SQUARE) for square in FinderProposals().propose(still(shown), quick=False))


def test_a_quick_look_still_sees_large_faces() -> None:
    assert any(
        near(square, SQUARE) for square in FinderProposals().propose(still(data.astronaut()), quick=True)
    )


def test_a_picture_of_one_colour_gives_no_place() -> None:
    assert FinderProposals().propose(still(np.full((360, 640, 3), 90, np.uint8)), quick=False) == []


def test_even_contrast_knows_no_brightness_and_no_contrast() -> None:
    picture = np.random.default_rng(0).uniform(0.2, 0.6, (64, 64)).astype(np.float32)
    assert np.abs(normalize_contrast(picture) - normalize_contrast(0.8 * picture + 0.1)).max() < 0.1
    assert np.abs(normalize_contrast(np.full((64, 64), 0.4, np.float32))).max() < 1e-3


def test_the_network_names_places_as_they_are_told_in_training() -> None:
    """A network of a single sure cell, made by hand, gives back the square that `cell_coordinates`
    describes."""

    class Told(FaceFinder):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            maps = torch.zeros(1, 4, pictures.shape[2] // 8, pictures.shape[3] // 8)
            maps[:, 0] = -9.0
            if pictures.shape[2] == 128:
                x, y, size = cell_coordinates(np.array([50.3, 77.9, 33.0]))
                row, column = round(float(y)), round(float(x))
                maps[0, :, row, column] = torch.tensor([4.0, x - column, y - row, size])
            return maps

    (square,) = find_squares(Told(), np.zeros((128, 128), np.uint8), min_score=0.5, max_count=9)
    assert square == pytest.approx([50.3, 77.9, 33.0], abs=1e-3)


def test_folding_the_normalisation_changes_nothing() -> None:
    torch.manual_seed(0)
    network = FaceFinder()
    network(torch.randn(4, 1, 64, 64))  # so that the normalisation has something to take out
    picture = torch.randn(1, 1, 64, 64)
    expected = network.eval()(picture)
    assert torch.allclose(fuse_batchnorm(network)(picture), expected, atol=1e-5)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="face finder"):
        FinderProposals(tmp_path / "w.safetensors")
