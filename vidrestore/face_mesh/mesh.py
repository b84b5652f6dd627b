"""Aligned faces -> 468 points in them, in batches; and what the points say of the mouth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

CENTRE_X, CENTRE_Y, SIDE = 0.5, 0.58, 0.85
"""Of the network's chip in an FFHQ-aligned face, in shares of the face's side."""
_UPPER_LIP, _LOWER_LIP, _CORNERS = 13, 14, (78, 308)
"""Of the 468 points: the inner edges of the lips, and where they meet."""


class FaceMesh(Protocol):
    """What places the points."""

    def points(self, faces: Sequence[FloatArray]) -> FloatArray:
        """(N, 468, 2) x y of N FFHQ-aligned faces (S, S, 3) RGB in 0..1, in shares of the side."""


def make_face_mesh(device: str = "auto", weights: Path | None = None) -> FaceMesh:
    """The face mesh on `device`; `weights` None: those inside the package.

    Raises:
        WeightsError: the weights are not here or do not fit.
        DeviceError: there is no such device.
    """
    from vidrestore.runtime.device import resolve_device

    return _NetworkMesh(weights or embedded_path("face_mesh.safetensors"), str(resolve_device(device)))


def mouth_opening(points: FloatArray) -> float:
    """How far the lips are apart, over the distance of their corners, of points (468, 2); 0: shut."""
    corners = float(np.linalg.norm(points[_CORNERS[0]] - points[_CORNERS[1]]))
    return float(np.linalg.norm(points[_UPPER_LIP] - points[_LOWER_LIP])) / max(corners, 1e-6)


class _NetworkMesh:
    def __init__(self, weights: Path, device: str) -> None:
        import torch

        from vidrestore.face_mesh.network import load_face_mesh_network

        self._device = torch.device(device)
        self._network = load_face_mesh_network(weights).to(self._device)

    def points(self, faces: Sequence[FloatArray]) -> FloatArray:
        import torch

        from vidrestore.face_mesh.network import CHIP_SIDE

        if not faces:
            return np.zeros((0, 468, 2), np.float32)
        chips = np.stack([_chip(face, CHIP_SIDE) for face in faces])
        with torch.inference_mode():
            given = torch.from_numpy(chips).permute(0, 3, 1, 2).contiguous().to(self._device)
            placed = self._network(given)[..., :2].float().cpu().numpy()
        corner = np.array([CENTRE_X - SIDE / 2, CENTRE_Y - SIDE / 2])
        return np.asarray(corner + (placed + 0.5) / CHIP_SIDE * SIDE, np.float32)


def _chip(face: FloatArray, side: int) -> FloatArray:
    """(side, side, 3): the network's part of an aligned face, beyond which the border is repeated."""
    across = side / (SIDE * face.shape[0])
    left, top = (CENTRE_X - SIDE / 2) * face.shape[0], (CENTRE_Y - SIDE / 2) * face.shape[0]
    # Between corners of pixels, not their middles.
    matrix = np.array([[across, 0, (0.5 - left) * across - 0.5], [0, across, (0.5 - top) * across - 0.5]])
    return np.asarray(
        cv2.warpAffine(face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
