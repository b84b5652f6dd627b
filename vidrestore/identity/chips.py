"""Cuts chips, the inputs of the recognition network, from aligned faces."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.identity.network import CHIP_SIDE
from vidrestore.types import FloatArray

CENTRE_X, CENTRE_Y, SIDE = 0.5, 0.564, 0.85
"""Position of dlib's chip in an FFHQ-aligned face, as fractions of the face's side."""
_ALIGNED_SIDE = 256
"""Larger faces are reduced to this side first, to avoid aliasing."""


def cut_chips(faces: Sequence[FloatArray]) -> Tensor:
    """(N, 3, 150, 150) in 0..1 of N FFHQ-aligned faces (S, S, 3) RGB in 0..1; sides may differ."""
    same = np.stack([_at_one_size(face) for face in faces])
    pictures = torch.from_numpy(same).permute(0, 3, 1, 2)
    window = torch.tensor([[SIDE, 0, 2 * CENTRE_X - 1], [0, SIDE, 2 * CENTRE_Y - 1]])
    grid = F.affine_grid(
        window.expand(len(faces), 2, 3).contiguous(),
        [len(faces), 3, CHIP_SIDE, CHIP_SIDE],
        align_corners=False,
    )
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _at_one_size(face: FloatArray) -> FloatArray:
    if face.shape[0] == _ALIGNED_SIDE:
        return face
    shrinks = face.shape[0] > _ALIGNED_SIDE
    kernel = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(face, (_ALIGNED_SIDE, _ALIGNED_SIDE), interpolation=kernel), np.float32)
