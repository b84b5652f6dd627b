"""A drawn face gets the footage's brightness and colour on a device as with OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from vidrestore.faces import colour_match
from vidrestore.restoration.tensor_pictures.colour_match import match_colour
from vidrestore.types import FloatArray


def picture(side: int, seed: int, sigma: float, colour: float = 1.0) -> FloatArray:
    noise = np.random.default_rng(seed).random((side, side, 3), np.float32)
    soft = 0.5 + 4 * (cv2.GaussianBlur(noise, (0, 0), sigma) - 0.5)
    grey = soft.mean(2, keepdims=True)
    return np.asarray(grey + colour * (soft - grey), np.float32).clip(0, 1)


def tensor(face: FloatArray) -> Tensor:
    return torch.from_numpy(face).permute(2, 0, 1)


@pytest.mark.parametrize("side", [64, 96, 256, 512])
@pytest.mark.parametrize(("drawn_colour", "colour"), [(1.0, 0.3), (0.2, 1.0), (1.0, 0.0)])
def test_colour_and_brightness_are_those_of_opencv(side: int, drawn_colour: float, colour: float) -> None:
    drawn, original = picture(side, 1, 2, drawn_colour), picture(side, 2, 8, colour)
    expected = colour_match.match_colour(drawn, original)
    found = match_colour(tensor(drawn), tensor(original)).permute(1, 2, 0).numpy()
    assert np.abs(found - expected).max() < 1e-5


def test_a_flat_face_is_no_division_by_zero() -> None:
    flat = torch.full((3, 64, 64), 0.5)
    assert match_colour(flat, flat).sub(0.5).abs().max() < 1e-6
