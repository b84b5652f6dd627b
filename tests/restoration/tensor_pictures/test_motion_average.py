"""Faces are averaged on a device as with OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.restoration.estimate_average import average_estimates
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.flow_average import average_along_motion
from vidrestore.restoration.tensor_pictures.motion_average import (
    average_tensor_estimates,
    average_tensor_pictures,
    small_greys,
    start_greys,
)
from vidrestore.restoration.tensor_pictures.pictures import TensorEstimate, TensorPicture
from vidrestore.types import FloatArray

CODE = 1 / 255
LARGEST = CODE
"""Of differences from OpenCV, which rounds the moved greys with 15 bits: a grey that is rounded to the other
side changes a weight."""


def face(side: int, shift: float, seed: int, codes: float = 6) -> FloatArray:
    """A picture with detail of several sizes and an error of its own, moved to the right by `shift` px."""
    wide = np.random.default_rng(1).random((2 * side, 2 * side, 3), np.float32)
    coarse, fine = (cv2.GaussianBlur(wide, (0, 0), s) - 0.5 for s in (8, 2.5))
    moved = cv2.warpAffine(
        0.5 + 4 * coarse + 1.2 * fine, np.array([[1, 0, shift - side / 2], [0, 1, -side / 2]]), (side, side)
    )
    error = np.random.default_rng(seed).standard_normal(moved.shape)
    return np.asarray((moved + codes * CODE * error).clip(0, 1), np.float32)


def picture_of(array: FloatArray) -> TensorPicture:
    """With OpenCV's own small grey copy, so that the flow is the same."""
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    (grey,) = start_greys(torch.from_numpy(grey_by_opencv(array))[None])()
    return TensorPicture(picture=tensor, grey=grey)


def grey_by_opencv(picture: FloatArray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (len(grey) // 2,) * 2, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.convertScaleAbs(small, alpha=255))


def estimate_of(estimate: FaceEstimate) -> TensorEstimate:
    picture = picture_of(estimate.mean)
    return TensorEstimate(
        mean=picture.picture,
        scale=torch.from_numpy(estimate.scale).permute(2, 0, 1),
        given=picture.picture,
        grey=picture.grey,
        change=torch.tensor(estimate.change),
        is_certain=estimate.is_certain,
    )


def estimated(side: int, shift: float, seed: int) -> FaceEstimate:
    rough = np.random.default_rng(seed + 100).random((side // 8, side // 8, 5), np.float32)
    scale = 0.04 * np.dstack([cv2.resize(rough[..., k], (side // 2, side // 2)) for k in range(5)])
    return FaceEstimate(
        mean=face(side, shift, seed), scale=scale.astype(np.float32), change=0.01, is_certain=False
    )


@settings(max_examples=8, deadline=None)
@given(
    side=st.sampled_from([128, 256]),
    shifts=st.lists(st.floats(-4, 4), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
def test_drawn_faces_are_averaged_as_with_opencv(side: int, shifts: list[float], seed: int) -> None:
    own = face(side, 0, seed)
    others = [(1 / (1 + n), face(side, shift, seed + n + 1)) for n, shift in enumerate(shifts)]
    expected = average_along_motion(own, others)
    averaged = average_tensor_pictures(picture_of(own), [(w, picture_of(other)) for w, other in others])
    found = averaged.picture.permute(1, 2, 0).numpy()
    assert np.abs(found - expected).max() < LARGEST
    assert np.abs(found - expected).mean() < 0.01 * CODE
    assert np.abs(found - own).mean() > 0.5 * CODE


@settings(max_examples=6, deadline=None)
@given(shifts=st.lists(st.floats(-3, 3), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_estimates_are_averaged_as_with_opencv(shifts: list[float], seed: int) -> None:
    own = estimated(128, 0, seed)
    others = [(0.7, estimated(128, shift, seed + n + 1)) for n, shift in enumerate(shifts)]
    with_opencv = average_estimates(own, others)
    expected = with_opencv.mean
    averaged = average_tensor_estimates(estimate_of(own), [(w, estimate_of(e)) for w, e in others])
    found = averaged.mean.permute(1, 2, 0).numpy()
    assert np.abs(found - expected).max() < LARGEST
    assert np.abs(found - expected).mean() < 0.01 * CODE
    scale = averaged.scale.permute(1, 2, 0).numpy()
    assert np.abs(scale - with_opencv.scale).max() < LARGEST
    assert (scale < own.scale).any()


def test_an_estimate_of_another_size_is_no_neighbour() -> None:
    own, other = estimate_of(estimated(128, 0, 1)), estimate_of(estimated(256, 0, 2))
    assert average_tensor_estimates(own, [(1.0, other)]) is own


@pytest.mark.parametrize("side", [128, 256, 384])
def test_reduced_grey_pictures_equal_those_of_opencv(side: int) -> None:
    picture = face(side, 0, 3)
    found = small_greys(torch.from_numpy(picture).permute(2, 0, 1)[None])[0].numpy()
    difference = np.abs(found.astype(int) - grey_by_opencv(picture).astype(int))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
