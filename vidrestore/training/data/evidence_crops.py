"""Pairs of clean and degraded crops for the evidence network.

The batch of a step depends on the seed and the step only, so a resumed run gets the same pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from vidrestore.errors import InputError
from vidrestore.training.data.evidence_degradation import CROP_SHARES, SOFT_SHARES, degrade_for_evidence
from vidrestore.training.data.people import FaceFile, list_faces
from vidrestore.types import FloatArray

MARGIN = 16
"""Additional pixels of a crop during degradation, so that codec blocks and borders fall anywhere in it."""


@dataclass(frozen=True, slots=True)
class FacePicture:
    """A decoded picture of an aligned face."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    border: float = 0.0
    """Width of the border around the aligned face, as a fraction of the picture's side."""


MakePair: TypeAlias = Callable[[FacePicture, int, np.random.Generator], tuple[FloatArray, FloatArray]]
"""`make_pair`, `make_half_size_pair` or `make_whole_face_pair`."""


@dataclass(frozen=True, slots=True)
class EvidencePictures:
    """Decoded faces in memory, and how often each is used."""

    pictures: tuple[FacePicture, ...]
    weights: NDArray[np.float64]
    """Of sum one."""


def load_pictures(files: Sequence[FaceFile], *, photos_only: bool = False) -> EvidencePictures:
    """Decodes faces.

    Args:
        files: The files.
        photos_only: Whether to leave out synthetic faces.

    Raises:
        InputError: There are no files, or one of them is not a picture.
    """
    chosen = [file for file in files if file.is_photo or not photos_only]
    if not chosen:
        kind = "photographs of faces" if photos_only else "faces"
        raise InputError(f"there are no {kind} to train on: the folder is empty, or all people are held out")
    pictures = []
    for file in chosen:
        picture = cv2.imread(str(file.path), cv2.IMREAD_COLOR)
        if picture is None:
            raise InputError(f"{file.path} is not a picture that can be read")
        pixels = np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8)
        pictures.append(FacePicture(pixels, file.border))
    weights = np.array([file.weight for file in chosen], np.float64)
    return EvidencePictures(tuple(pictures), weights / weights.sum())


class EvidenceCrops(Dataset[tuple[Tensor, Tensor]]):
    """A data set whose item i is the batch of step i: clean and degraded crops, each (N, 3, S, S) in 0..1."""

    def __init__(
        self, pictures: EvidencePictures, *, crop: int, batch: int, seed: int, make: MakePair
    ) -> None:
        self._pictures, self._crop, self._batch, self._seed = pictures, crop, batch, seed
        self._make = make

    def __len__(self) -> int:
        return 2**31 - 1  # every step has a batch

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self._seed, step])
        chosen = rng.choice(len(self._pictures.pictures), self._batch, p=self._pictures.weights)
        pairs = [self._make(self._pictures.pictures[i], self._crop, rng) for i in chosen]
        clean, degraded = (
            torch.from_numpy(np.stack([pair[side] for pair in pairs]))
            .permute(0, 3, 1, 2)
            .contiguous(memory_format=torch.channels_last)
            for side in (0, 1)
        )
        return clean, degraded


def make_pair(picture: FacePicture, crop: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """A clean crop at a random place and scale, and its degraded copy.

    Args:
        picture: A face. Its border is as good as the rest.
        crop: Side of the crop in pixels.
        rng: The source of random numbers.

    Returns:
        Two arrays (crop, crop, 3) in 0..1.
    """
    side = crop + MARGIN
    pixels = picture.pixels
    height, width = pixels.shape[:2]
    smallest = max(0.4, side / min(height, width))  # above 1 for a picture smaller than the crop
    scale = rng.uniform(smallest, max(smallest, 1.05))
    if rng.random() < 0.25:
        scale = 1.0  # no resampling, which would blur it
    reach = side / scale
    x, y = rng.uniform(0, max(width - reach, 0)), rng.uniform(0, max(height - reach, 0))
    if scale == 1.0:
        x0, y0 = int(x), int(y)
        cut: NDArray[Any] = pixels[y0 : y0 + side, x0 : x0 + side]
        if cut.shape[:2] != (side, side):
            cut = np.asarray(cv2.resize(pixels, (side, side)))
        clean: NDArray[Any] = cut.astype(np.float32) / 255
    else:
        clean = _warp(pixels, scale, x, y, side, rng)
    if rng.random() < 0.5:
        clean = clean[:, ::-1]
    if rng.random() < 0.1:
        clean = clean.swapaxes(0, 1)
    target, degraded = degrade_for_evidence(np.ascontiguousarray(clean, np.float32), rng)
    top, left = rng.integers(0, MARGIN + 1, 2)
    window = np.s_[top : top + crop, left : left + crop]
    return np.ascontiguousarray(target[window]), np.ascontiguousarray(degraded[window])


def make_half_size_pair(
    picture: FacePicture, side: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """A whole clean face and its degraded copy, both reduced to half their size after the degradation.

    Args:
        picture: A face, (H, H, 3). Its border is cut off.
        side: Side of the result in pixels.
        rng: The source of random numbers.

    Returns:
        Two arrays (side, side, 3) in 0..1.
    """
    clean = _whole_face(picture, 2 * side, rng)
    target, degraded = degrade_for_evidence(clean, rng, SOFT_SHARES)
    return _half(target), _half(degraded)


def make_whole_face_pair(
    picture: FacePicture, side: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """A whole clean face and its degraded copy, not reduced.

    Args:
        picture: A face, (H, H, 3). Its border is cut off.
        side: Side of the result in pixels.
        rng: The source of random numbers.

    Returns:
        Two arrays (side, side, 3) in 0..1.
    """
    clean = _whole_face(picture, side, rng)
    shares = SOFT_SHARES if rng.random() < 0.5 else CROP_SHARES
    target, degraded = degrade_for_evidence(clean, rng, shares)
    return np.ascontiguousarray(target), np.ascontiguousarray(degraded)


def _whole_face(picture: FacePicture, side: int, rng: np.random.Generator) -> FloatArray:
    """(side, side, 3) a face without its border, slightly moved, enlarged and rotated, and often mirrored."""
    shown = picture.pixels.shape[0]
    face = shown * (1 - 2 * picture.border)
    scale = side / face * rng.uniform(0.93, 1.07)
    x, y = (shown - side / scale) / 2 + rng.normal(0, 0.015 * face, 2)
    clean: NDArray[Any] = _warp(picture.pixels, scale, x, y, side, rng)
    if rng.random() < 0.5:
        clean = clean[:, ::-1]
    return np.ascontiguousarray(clean, np.float32)


def _half(picture: FloatArray) -> FloatArray:
    """The mean of each 2 x 2 pixels."""
    height, width, channels = picture.shape
    return picture.reshape(height // 2, 2, width // 2, 2, channels).mean((1, 3), dtype=np.float32)


def _warp(
    picture: NDArray[np.uint8], scale: float, x: float, y: float, side: int, rng: np.random.Generator
) -> FloatArray:
    """A part of the picture, reduced and slightly rotated, without aliasing."""
    source: NDArray[Any] = picture
    if scale < 0.95:
        source = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1)))
    angle = np.deg2rad(rng.normal(0, 8))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    centre = np.array([x, y]) + side / scale / 2
    matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    matrix[:, 2] = side / 2 - matrix[:, :2] @ centre
    warped = cv2.warpAffine(
        source, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(np.asarray(warped).astype(np.float32) / 255, np.float32)


def validation_pairs(
    files: Sequence[FaceFile], crop: int, count: int, make: MakePair = make_pair
) -> tuple[Tensor, Tensor]:
    """Pairs for validation, which are always the same.

    Args:
        files: Faces of held-out people.
        crop: Side of a crop in pixels.
        count: Number of pairs.
        make: The function that makes a pair.

    Returns:
        Clean and degraded crops, each (N, 3, S, S) in 0..1.
    """
    chosen = list(files)[:: max(1, len(files) // count)][:count]
    pictures = load_pictures(chosen).pictures
    pairs = [
        make(picture, crop, np.random.default_rng(list(file.path.stem.encode())))
        for picture, file in zip(pictures, chosen, strict=True)
    ]
    stacked = [torch.from_numpy(np.stack([p[side] for p in pairs])).permute(0, 3, 1, 2) for side in (0, 1)]
    return stacked[0].contiguous(), stacked[1].contiguous()


def find_faces(
    folders: Sequence[Path], manifest: Path | None = None, borders: Sequence[float] | None = None
) -> list[FaceFile]:
    """The faces in several folders.

    Args:
        folders: The folders.
        manifest: The manifest of all of them; by default that of the first folder.
        borders: Width of the border around the faces of each folder, as a fraction of the picture's side; by
            default 0.
    """
    manifest = manifest or folders[0] / "manifest.csv"
    return [
        replace(face, border=border)
        for folder, border in zip(folders, borders or [0.0] * len(folders), strict=True)
        for face in list_faces(folder, manifest=manifest)
    ]
