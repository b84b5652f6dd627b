"""Batches of clean and degraded faces from a folder of aligned faces.

The batch of a step depends on the seed and the step only, so a resumed run gets the same batches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.errors import InputError
from vidrestore.training.config import DataConfig, Recipe
from vidrestore.training.data.degradation import degrade
from vidrestore.training.data.evidence_degradation import degrade_for_evidence
from vidrestore.training.data.footage_degradation import degrade_as_broadcast, degrade_as_film
from vidrestore.training.data.people import list_faces
from vidrestore.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    clean: Tensor
    """(N, 3, S, S) in [-1, 1]."""
    degraded: Tensor
    """The same faces, degraded: (N, 3, S, S) in [-1, 1]."""

    def to(self, device: torch.device) -> Batch:
        return Batch(clean=self.clean.to(device), degraded=self.degraded.to(device))

    def split(self, parts: int) -> list[Batch]:
        """At most `parts` smaller batches of nearly equal size."""
        pairs = zip(self.clean.chunk(parts), self.degraded.chunk(parts), strict=True)
        return [Batch(clean=clean, degraded=degraded) for clean, degraded in pairs]


def split_people(config: DataConfig) -> tuple[list[Path], list[Path]]:
    """The files for training and those for validation; all files of a person are in one of the lists.

    The manifest, or a hash of the person's name, decides.

    Raises:
        InputError: The folder has no pictures.
    """
    faces = list_faces(config.faces, validation_share=config.validation_share)
    held = [face.path for face in faces if face.is_held_out]
    return [face.path for face in faces if not face.is_held_out], held


def read_face(path: Path) -> FloatArray:
    """The picture, (H, W, 3) RGB in 0..1. Raises InputError if the file is not a picture."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path} is not a picture that can be read")
    return image[:, :, ::-1].astype(np.float32) / 255.0


def crop_face(
    image: FloatArray, size: int, config: DataConfig, rng: np.random.Generator | None
) -> FloatArray:
    """The aligned face without its border.

    Args:
        image: A picture of the data set, (H, W, 3) in 0..1.
        size: Side of the result in pixels.
        config: Border and augmentation.
        rng: The source of random numbers for augmentation; None: no augmentation.

    Returns:
        (size, size, 3) in 0..1.
    """
    side = image.shape[0]
    zoom = size / (side * (1 - 2 * config.border))
    angle = dx = dy = 0.0
    if rng is not None:
        zoom *= 1 + rng.uniform(-config.scale, config.scale)
        angle = rng.uniform(-config.rotate, config.rotate)
        dx, dy = rng.uniform(-config.shift, config.shift, 2) * size
    # Pixel centres have integer coordinates: the middle of the picture is (side - 1) / 2.
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle, zoom)
    matrix[:, 2] += (size - side) / 2 + np.array([dx, dy])
    face: NDArray[Any] = cv2.warpAffine(
        image, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    if rng is not None:
        if rng.random() < 0.5:
            face = face[:, ::-1]
        if config.surroundings and rng.random() < config.surroundings:
            face = _change_surroundings(face, rng)
        if config.colour:
            face = _change_colour(face, rng)
        if config.light:
            face = face * _uneven_light(face.shape[0], config.light, rng)
    return np.clip(face, 0, 1).astype(np.float32)


def make_pair(
    path: Path, size: int, config: DataConfig, rng: np.random.Generator, *, augment: bool
) -> tuple[FloatArray, FloatArray]:
    """A clean face and its degraded copy, each (size, size, 3) RGB in 0..1.

    Args:
        path: The file of the face.
        size: Side in pixels.
        config: Augmentation and recipes.
        rng: The source of random numbers.
        augment: Whether to augment the face.
    """
    clean = crop_face(read_face(path), size, config, rng if augment else None)
    return degrade_by(choose_recipe(config, rng), clean, config, rng)


def choose_recipe(config: DataConfig, rng: np.random.Generator) -> Recipe:
    """A random recipe, with the probabilities of the configuration."""
    names = list(config.recipes)
    if len(names) == 1:
        return names[0]
    ends = np.cumsum([config.recipes[name] for name in names])
    return names[int(np.searchsorted(ends, rng.uniform(0, ends[-1]), side="right"))]


def degrade_by(
    recipe: Recipe, clean: FloatArray, config: DataConfig, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """The target and its degraded copy; some recipes change the tone of the target.

    Args:
        recipe: The name of the recipe.
        clean: (H, W, 3) RGB in 0..1.
        config: The ranges of the recipes.
        rng: The source of random numbers.
    """
    match recipe:
        case "film":
            return degrade_as_film(clean, rng)
        case "broad":
            return degrade_for_evidence(clean, rng)
        case "broadcast":
            return clean, degrade_as_broadcast(clean, rng)
        case "mild":
            return clean, degrade(clean, config.mild, rng)
        case "specification":
            return clean, degrade(clean, config.degradation, rng)
        case _:
            assert_never(recipe)


def batches(
    files: list[Path],
    size: int,
    config: DataConfig,
    *,
    batch: int,
    seed: int,
    first_step: int = 0,
    share: tuple[int, int] = (0, 1),
) -> Iterator[Batch]:
    """Endless batches, which are prepared in advance in `config.workers` threads.

    Args:
        files: The faces.
        size: Side in pixels.
        config: Augmentation and recipes.
        batch: Faces per batch.
        seed: The seed of the run.
        first_step: The step of the first batch.
        share: The number of this process and the number of processes, which divide a larger batch.
    """
    with ThreadPoolExecutor(config.workers) as pool:
        ahead: deque[Future[Batch]] = deque()
        step = first_step
        while True:
            while len(ahead) < 2 * config.workers:
                ahead.append(pool.submit(_make_batch, files, size, config, batch, seed, step, share))
                step += 1
            yield ahead.popleft().result()


def validation_batch(files: list[Path], size: int, config: DataConfig, count: int) -> Batch:
    """A batch for validation, which is always the same: not augmented, with seeds from the file names.

    Args:
        files: The faces.
        size: Side in pixels.
        config: The recipes.
        count: Number of faces; the first ones are taken.
    """
    pairs = [
        make_pair(path, size, config, np.random.default_rng(list(path.stem.encode())), augment=False)
        for path in files[:count]
    ]
    return Batch(clean=to_tensor([c for c, _ in pairs]), degraded=to_tensor([d for _, d in pairs]))


def to_tensor(faces: list[FloatArray]) -> Tensor:
    """(N, 3, S, S) in [-1, 1] from N pictures (S, S, 3) in 0..1."""
    stacked = torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2)
    return (stacked * 2 - 1).contiguous(memory_format=torch.channels_last)


def _make_batch(
    files: list[Path],
    size: int,
    config: DataConfig,
    batch: int,
    seed: int,
    step: int,
    share: tuple[int, int],
) -> Batch:
    index, count = share
    rng = np.random.default_rng([seed, step, index] if index else [seed, step])
    # An epoch is a permutation, so that each face is used equally often.
    together = batch * count
    per_epoch = max(len(files) // together, 1)
    epoch, position = divmod(step, per_epoch)
    order = np.random.default_rng([seed, 1_000_003, epoch]).permutation(len(files))
    first = position * together + index * batch
    chosen = np.take(order, range(first, first + batch), mode="wrap")
    pairs = [make_pair(files[i], size, config, rng, augment=True) for i in chosen]
    return Batch(clean=to_tensor([c for c, _ in pairs]), degraded=to_tensor([d for _, d in pairs]))


def _change_colour(face: NDArray[Any], rng: np.random.Generator) -> FloatArray:
    grey = face @ np.array(BT601_LUMA, np.float32)
    saturation = 0.0 if rng.random() < 0.15 else rng.uniform(0.4, 1.3)
    face = grey[..., None] + saturation * (face - grey[..., None])
    tint = 1 + rng.uniform(-0.1, 0.1, 3) * (rng.random() < 0.5)
    contrast, brightness = rng.uniform(0.7, 1.2), rng.uniform(-0.12, 0.12)
    face = ((face * tint - 0.5) * contrast + 0.5 + brightness).clip(0, 1)
    return (face ** rng.uniform(0.75, 1.35)).astype(np.float32)


def _change_surroundings(face: NDArray[Any], rng: np.random.Generator) -> FloatArray:
    """The head in front of another background. In studio portraits the background is always smooth."""
    size = face.shape[0]
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    wide, high = rng.uniform(0.3, 0.46), rng.uniform(0.42, 0.56)
    inside = (1 - np.hypot((x - 0.5) / wide, (y - 0.52) / high)) / 0.12
    share = inside.clip(0, 1)[..., None]
    cells = int(rng.integers(2, 12))
    base, variety = rng.random(3) ** 0.7, rng.uniform(0, 0.7)
    coarse = (base + variety * (rng.random((cells, cells, 3)) - base)).astype(np.float32)
    backdrop = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC))
    for _ in range(int(rng.integers(0, 6))):  # edges as of furniture and windows
        first, second = (tuple(int(v) for v in rng.integers(0, size, 2)) for _ in range(2))
        thick = int(rng.choice([-1, 1, 3]))
        cv2.rectangle(backdrop, first, second, [float(v) for v in rng.random(3)], thick)
    return np.asarray(share * face + (1 - share) * backdrop, np.float32)


def _uneven_light(size: int, strength: float, rng: np.random.Generator) -> FloatArray:
    """(size, size, 1) factors of light from a side and of shadows, `1 - strength` to `1 + strength`."""
    cells = int(rng.integers(2, 5))
    coarse = (1 + strength * rng.uniform(-1, 1, (cells, cells))).astype(np.float32)
    smooth = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)
    return smooth.clip(1 - strength, 1 + strength)[..., None]
