"""Finds 468 landmarks in aligned faces, and measures the mouth's opening from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

CENTRE_X, CENTRE_Y, SIDE = 0.5, 0.58, 0.85
"""Centre and side of the square that the network sees, as fractions of the aligned face's side."""
_UPPER_LIP, _LOWER_LIP, _CORNERS = 13, 14, (78, 308)
"""Indices among the 468 landmarks: the inner edges of the lips, and the corners of the mouth."""


class FaceMesh(Protocol):
    """Finds the landmarks."""

    def points(self, faces: Sequence[FloatArray]) -> FloatArray:
        """(N, 468, 2) x y, as fractions of the side, in N FFHQ-aligned faces (S, S, 3) RGB in 0..1."""


def make_face_mesh(device: str = "auto", weights: Path | None = None) -> FaceMesh:
    """The face mesh network, ready for use.

    Args:
        device: auto, cpu, cuda or mps.
        weights: A safetensors file; None: the weights inside the package.

    Raises:
        WeightsError: The file is missing or holds other weights.
        DeviceError: There is no such device.
        ProcessingError: The memory of the chosen device does not suffice.
    """
    from vidrestore.runtime.device_memory import place_networks

    path = weights or embedded_path("face_mesh.safetensors")
    return place_networks(
        device, lambda where: _NetworkMesh(path, str(where)), what="the network of the face mesh"
    )


def mouth_opening(points: FloatArray) -> float:
    """Distance of the lips over the distance of the mouth's corners, of points (468, 2); 0: closed."""
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
    """(side, side, 3): the part of an aligned face that the network sees; border pixels are repeated."""
    across = side / (SIDE * face.shape[0])
    left, top = (CENTRE_X - SIDE / 2) * face.shape[0], (CENTRE_Y - SIDE / 2) * face.shape[0]
    # The map is between corners of pixels; OpenCV's coordinates are of their centres.
    matrix = np.array([[across, 0, (0.5 - left) * across - 0.5], [0, across, (0.5 - top) * across - 0.5]])
    return np.asarray(
        cv2.warpAffine(face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
