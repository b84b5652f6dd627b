"""Pictures are copied to a device and back unchanged."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidrestore.restoration.pinned_copies import from_device, to_device


@pytest.mark.parametrize(
    "name",
    [
        "cpu",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
        ),
        pytest.param(
            "mps",
            marks=pytest.mark.skipif(not torch.backends.mps.is_available(), reason="needs an Apple GPU"),
        ),
    ],
)
def test_pictures_come_back_as_they_went_and_in_whatever_order_they_lie(name: str) -> None:
    faces = [np.random.default_rng(i).random((16, 16, 3), np.float32) for i in range(3)]
    there = to_device(faces, torch.device(name))
    assert there.device.type == name
    assert there.shape == (3, 16, 16, 3)
    turned = there.permute(0, 2, 1, 3)
    for face, same, transposed in zip(faces, from_device(there), from_device(turned), strict=True):
        assert np.array_equal(face, same)
        assert np.array_equal(face.transpose(1, 0, 2), transposed)
