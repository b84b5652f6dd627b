"""Trains the face finder: portraits in random scenes, each cell labelled: is a face centred in it?."""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.detection.finder_net import (
    LARGEST,
    SMALLEST,
    STRIDE,
    FaceFinder,
    cell_coordinates,
    find_squares,
    load_face_finder,
    normalize_contrast,
)
from vidrestore.detection.landmark_net import square_around
from vidrestore.training.config import Section
from vidrestore.training.data.degradation import jpeg
from vidrestore.training.data.footage_degradation import grain
from vidrestore.training.data.portraits import Portrait, load_portraits, read_pictures
from vidrestore.training.data.scenes import dead_leaves, paste_portrait
from vidrestore.training.detector.shared import prefetch_steps, read_detector_config, save_float16
from vidrestore.training.ema import update_ema
from vidrestore.types import FloatArray

logger = logging.getLogger(__name__)
SCENE_SIDE = 160
"""Pixels."""
_CANVASES, _USES = 240, 10
_UNSURE = 1.25
"""Faces smaller or larger by up to this factor than those to be found are neither right nor wrong."""
_PLACE_WEIGHT = 1.0
_FOCUS = 2.0


class FinderConfig(Section):
    """How the face finder is trained."""

    faces: Path
    teacher: Path
    """YuNet for 640 x 640 pixels (libfacedetection)."""
    output: Path
    backgrounds: Path | None = None
    """A folder of pictures without any face; None: only textures and pieces of portraits."""
    start: Path | None = None
    """Weights to go on from."""
    steps: int = 6000
    batch: int = 24
    learning_rate: float = 3e-3
    ema: float = 0.999
    """Decay of the moving average of the weights, which is what is kept."""
    seed: int = 0
    validation_share: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A picture for the network and what it should say."""

    luma: NDArray[np.uint8]
    """(side, side)"""
    squares: tuple[FloatArray, ...]
    """Around all faces, of any size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinderScores:
    """Over validation scenes."""

    found: float
    """Share of faces with a proposal near them."""
    proposals: float
    """Beside them, for each square of 320 pixels."""


def train(config_path: Path, overrides: list[str]) -> Path:
    """Train; returns the file of weights (float16 safetensors)."""
    config = read_detector_config(FinderConfig, config_path, overrides)
    torch.manual_seed(config.seed)
    training, validation = load_portraits(config.faces, config.teacher, config.validation_share)
    pictures = read_pictures(config.backgrounds) if config.backgrounds else []
    network = load_face_finder(config.start).train() if config.start else FaceFinder()
    network.requires_grad_(True).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)
    for step, (scenes, wanted) in enumerate(_batches(training, pictures, config)):
        loss = _loss(network(scenes), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        update_ema(average, network, min(config.ema, (1 + step) / (10 + step)))
        if step % 200 == 0:
            logger.info("step %d  loss %.4f", step, loss.item())
    network = average.eval()
    for min_score in (0.1, 0.2, 0.4):
        logger.info(
            "from %.1f on: %s", min_score, evaluate(network, validation, pictures, config.seed, min_score)
        )
    return save_float16(network, config.output / "finder.safetensors")


def evaluate(
    network: FaceFinder,
    portraits: Sequence[Portrait],
    pictures: Sequence[NDArray[np.uint8]],
    seed: int,
    min_score: float,
    count: int = 600,
) -> FinderScores:
    """What it proposes of drawn scenes with and without faces of people it never saw."""
    rng = np.random.default_rng(seed)
    hits = faces = beside = 0
    for _ in range(count):
        scene = make_scene(dead_leaves(SCENE_SIDE, rng, portraits, pictures), portraits, rng)
        inside = [s for s in scene.squares if _is_in_size_range(s, scene.luma.shape[0])]
        near = [
            [float(np.hypot(*(p[:2] - s[:2]))) < 0.3 * s[2] for p in _proposals(network, scene, min_score)]
            for s in inside
        ]
        faces += len(inside)
        hits += sum(any(row) for row in near)
        beside += len(_proposals(network, scene, min_score)) - sum(any(row) for row in near)
    return FinderScores(found=hits / faces, proposals=beside / count * (320 / SCENE_SIDE) ** 2)


def _proposals(network: FaceFinder, scene: Scene, min_score: float) -> list[FloatArray]:
    return find_squares(network, scene.luma, min_score=min_score, max_count=1000)


def _is_in_size_range(square: FloatArray, side: int) -> bool:
    middle_inside = bool((square[:2] > 0.2 * square[2]).all() and (square[:2] < side - 0.2 * square[2]).all())
    return middle_inside and float(square[2]) >= SMALLEST


def make_scene(canvas: NDArray[np.uint8], portraits: Sequence[Portrait], rng: np.random.Generator) -> Scene:
    """`canvas` damaged, with up to three faces, of which some are of a size that is not to be found."""
    squares: list[FloatArray] = []
    for _ in range(int(rng.integers(0, 4))):
        low, high = (SMALLEST, LARGEST) if rng.random() < 0.8 else (8.0, 2.5 * SCENE_SIDE)
        side = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        centre = rng.uniform(0, SCENE_SIDE, 2)
        if any(np.hypot(*(centre - s[:2])) < 0.75 * (side + s[2]) for s in squares):
            continue
        person = portraits[int(rng.integers(len(portraits)))]
        before = canvas
        canvas, points = paste_portrait(canvas, person, centre, side, rng)
        hidden = [s for s in squares if _changed(before, canvas, s)]
        if hidden:  # it covers one that was there
            canvas = before
            continue
        squares.append(square_around(points))
    return Scene(luma=damage(canvas, rng), squares=tuple(squares))


def _changed(before: NDArray[np.uint8], after: NDArray[np.uint8], square: FloatArray) -> bool:
    half = max(int(0.35 * square[2]), 2)
    x, y = (int(v) for v in square[:2])
    region = slice(max(y - half, 0), y + half), slice(max(x - half, 0), x + half)
    return bool((before[region] != after[region]).any())


def damage(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Its luma (h, w) after tone, uneven light, blur, grain, noise and compression, each now and then."""
    weights = np.array([0.299, 0.587, 0.114]) if rng.random() < 0.7 else rng.dirichlet([2, 3, 1])
    x: NDArray[Any] = (rgb.astype(np.float32) / 255) @ weights.astype(np.float32)
    x = np.clip((x - 0.5) * rng.uniform(0.3, 1.2) + rng.uniform(0.3, 0.7), 0, 1) ** rng.uniform(0.5, 1.8)
    if rng.random() < 0.3:
        light = rng.uniform(0.3, 1.0, (2, 2)).astype(np.float32)
        x = x * cv2.resize(light, x.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4:
        x = np.asarray(cv2.GaussianBlur(x, (0, 0), rng.uniform(0.3, 1.4)))
    x = np.repeat(x[..., None], 3, 2)
    if rng.random() < 0.4:
        x = grain(x, rng.uniform(0.01, 0.12), rng.uniform(0.3, 1.5), rng)
    if rng.random() < 0.3:
        x = x + rng.normal(0, rng.uniform(0, 0.06), (*x.shape[:2], 1))
    x = np.clip(x, 0, 1).astype(np.float32)
    if rng.random() < 0.4:
        x = jpeg(x, int(rng.integers(15, 90)))
    return np.round(x[..., 0] * 255).astype(np.uint8)


def _turned(canvas: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    turned = np.rot90(canvas, int(rng.integers(4)))
    return np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned)


def targets(scene: Scene) -> FloatArray:
    """(5, h, w): 1 face, 0 none or -1 unsure; x, y, size as the network's maps; 1 where those hold."""
    cells = -(-scene.luma.shape[0] // STRIDE)
    maps = np.zeros((5, cells, cells), np.float32)
    y, x = np.mgrid[:cells, :cells].astype(np.float32)
    for square in scene.squares:
        side = float(square[2])
        if not SMALLEST / _UNSURE**2 < side < LARGEST * _UNSURE**2:
            continue
        at_x, at_y, size = cell_coordinates(square)
        away = np.maximum(np.abs(x - at_x), np.abs(y - at_y))
        unsure = not SMALLEST / _UNSURE <= side <= LARGEST * _UNSURE
        maps[0][away < 1.6] = -1
        if unsure:
            continue
        middle = away <= 0.5 + 0.1
        maps[0][middle] = 1
        near = away < 1.6
        maps[1][near], maps[2][near], maps[3][near] = (at_x - x)[near], (at_y - y)[near], size
        maps[4][near] = 1
    return maps


def _loss(maps: Tensor, wanted: Tensor) -> Tensor:
    """Focal cross-entropy of faces, and the distance of their places."""
    logits, face, sure = maps[:, 0], wanted[:, 0].clamp_min(0), (wanted[:, 0] >= 0).float()
    crossed = F.binary_cross_entropy_with_logits(logits, face, reduction="none")
    wrong = (logits.sigmoid() - face).abs()
    count = face.sum().clamp_min(1)
    classify = (sure * wrong**_FOCUS * crossed).sum() / count
    known = wanted[:, 4:]
    place = (F.smooth_l1_loss(maps[:, 1:], wanted[:, 1:4], reduction="none", beta=0.2) * known).sum()
    return classify + _PLACE_WEIGHT * place / known.sum().clamp_min(1)


def _batches(
    portraits: Sequence[Portrait], pictures: Sequence[NDArray[np.uint8]], config: FinderConfig
) -> Iterator[tuple[Tensor, Tensor]]:
    canvases: deque[NDArray[np.uint8]] = deque(maxlen=_CANVASES)

    def make(step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([config.seed, step])
        # Leaves take longer to draw than all the rest: each canvas serves some ten times, turned.
        for _ in range(config.batch if step == 0 else -(-config.batch // _USES)):
            canvases.append(dead_leaves(SCENE_SIDE, rng, portraits, pictures))
        scenes = [
            make_scene(_turned(canvases[int(rng.integers(len(canvases)))], rng), portraits, rng)
            for _ in range(config.batch)
        ]
        even = np.stack([normalize_contrast(scene.luma) for scene in scenes])[:, None]
        return torch.from_numpy(even), torch.from_numpy(np.stack([targets(scene) for scene in scenes]))

    return prefetch_steps(make, config.steps)
