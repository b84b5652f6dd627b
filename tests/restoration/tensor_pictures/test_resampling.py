"""Pictures are resampled on a device as OpenCV resamples them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vidrestore.restoration.estimator import resized
from vidrestore.restoration.tensor_pictures.resampling import enlarge_linear, move_along, resized_tensors
from vidrestore.types import FloatArray


def noise(height: int, width: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def tensor(picture: FloatArray) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None]


def array(tensors: Tensor) -> FloatArray:
    return np.asarray(tensors[0].permute(1, 2, 0).numpy(), np.float32)


@pytest.mark.parametrize("side", [128, 256, 384])
@pytest.mark.parametrize("size", [128, 256, 384])
def test_a_picture_is_resized_as_by_opencv(side: int, size: int) -> None:
    picture = noise(side, side)
    found = array(resized_tensors(tensor(picture), size))
    assert np.abs(found - resized(picture, size)).max() < 2e-5


@settings(max_examples=25, deadline=None)
@given(side=st.integers(2, 40), larger=st.integers(0, 60), seed=st.integers(0, 99))
def test_maps_are_enlarged_as_by_opencv(side: int, larger: int, seed: int) -> None:
    picture = noise(side, side, seed)
    size = (side + larger,) * 2
    expected = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    assert np.abs(array(enlarge_linear(tensor(picture), size[0])) - expected).max() < 1e-5


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(2, 60),
    width=st.integers(2, 60),
    reach=st.floats(0, 80),
    seed=st.integers(0, 99),
)
def test_pictures_move_as_by_opencv_also_beyond_their_edges(
    height: int, width: int, reach: float, seed: int
) -> None:
    picture = noise(height, width, seed)
    flow = (reach * np.random.default_rng(seed + 1).normal(size=(height, width, 2))).astype(np.float32)
    positions = flow + np.stack(np.meshgrid(np.arange(width), np.arange(height)), 2).astype(np.float32)
    expected = cv2.remap(picture, positions, np.empty(0), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = array(move_along(tensor(picture), torch.from_numpy(flow)[None]))
    assert np.abs(moved - expected).max() < 2e-5
