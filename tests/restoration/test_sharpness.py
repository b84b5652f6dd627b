"""How sharp a face is, whatever its contrast."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from vidrestore.faces.alignment import sharpness
from vidrestore.restoration.sharpness import COARSE_SIDE, FINE_SIDE, relative_sharpness


def test_contrast_does_not_make_a_face_sharper() -> None:
    face = cv2.resize(np.random.default_rng(0).random((40, 40, 3), np.float32), (256, 256))
    faint = (0.5 + 0.3 * (face - 0.5)).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(face, (0, 0), 6))
    found = relative_sharpness(torch.from_numpy(np.stack([face, faint, blurred]))).tolist()
    assert found[1] == pytest.approx(found[0], rel=1e-3)
    assert found[2] < 0.5 * found[0]


@pytest.mark.parametrize("side", [256, 512])
def test_sharpness_of_many_faces_is_that_of_each(side: int) -> None:
    rng = np.random.default_rng(1)
    faces = [cv2.resize(rng.random((n, n, 3), np.float32), (side, side)) for n in (20, 60, 200)]
    one_by_one = [sharpness(face, FINE_SIDE) / sharpness(face, COARSE_SIDE) for face in faces]
    assert relative_sharpness(torch.from_numpy(np.stack(faces))).tolist() == pytest.approx(
        one_by_one, rel=1e-4
    )
