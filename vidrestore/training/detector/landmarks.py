"""Trains the landmark network: a teacher's five points on clean portraits, learned on hard crops of them."""

from __future__ import annotations

import copy
import logging
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

from vidrestore.detection.landmark_net import (
    CROP_SIDE,
    LandmarkNet,
    crop_matrix,
    find_points,
    load_landmark_net,
    to_input,
)
from vidrestore.detection.yunet import YuNet
from vidrestore.faces.face_square import SIDE_PER_FACE, square_around, tilt
from vidrestore.training.config import Section
from vidrestore.training.data.degradation import jpeg
from vidrestore.training.data.portraits import MIRRORED, Portrait, load_portraits, rarity, read_pictures
from vidrestore.training.detector.hard_negatives import LEAST_SCORE, SIDE, mine_hard_negatives
from vidrestore.training.detector.shared import prefetch_steps, read_detector_config, save_float16
from vidrestore.training.ema import update_ema

logger = logging.getLogger(__name__)
LOCATE_WEIGHT = 2.0
_REGION_SIDE = 160
"""Of the damaged picture that looks at a validation face are taken from, in pixels of the first look."""


class LandmarkConfig(Section):
    """How the landmark network is trained."""

    faces: Path
    teacher: Path
    """YuNet (libfacedetection)."""
    output: Path
    manifest: Path | None = None
    """A CSV file about the faces that says who is held out; None: the folder's, if there is one."""
    backgrounds: Path | None = None
    """A folder of pictures without any face; None: only wrong places of portraits and textures."""
    hard_negatives: int = 0
    """Places to collect that YuNet takes for a face and that are none: half of
    what the network is shown without a face is one of them. 0: none are collected."""
    start: Path | None = None
    """Weights to go on from."""
    steps: int = 4000
    batch: int = 64
    learning_rate: float = 2e-3
    ema: float = 0.999
    """Decay of the moving average of the weights, which is what is kept."""
    seed: int = 0
    validation_share: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkScores:
    """Shares, 0..1, over validation crops."""

    first_error: float
    """Mean distance of the five points over the size of the face, after one look."""
    error: float
    """The same after a second look, upright and around the points of the first: what the detector does."""
    missed: float
    """Faces refused."""
    accepted: float
    """Others taken for a face."""


Sample = tuple[NDArray[np.uint8], NDArray[np.float32], bool]


def train(config_path: Path, overrides: list[str]) -> Path:
    """Train from scratch; returns the file of weights (float16 safetensors)."""
    config = read_detector_config(LandmarkConfig, config_path, overrides)
    torch.manual_seed(config.seed)
    training, validation = load_portraits(
        config.faces, config.teacher, config.validation_share, config.manifest
    )
    network = load_landmark_net(config.start).train() if config.start else LandmarkNet()
    network.requires_grad_(True)
    average = copy.deepcopy(network).requires_grad_(False)
    optimizer = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)
    for step, (crops, points, faces) in enumerate(_batches(training, config)):
        logits, predicted = network(crops)
        classify = F.binary_cross_entropy_with_logits(logits, faces)
        locate = (_errors(predicted, points) * faces).sum() / faces.sum()
        optimizer.zero_grad()
        (classify + LOCATE_WEIGHT * locate).backward()
        optimizer.step()
        schedule.step()
        update_ema(average, network, min(config.ema, (1 + step) / (10 + step)))
        if step % 200 == 0:
            logger.info("step %d  face %.4f  points %.4f", step, classify.item(), locate.item())
    network = average.eval()
    for name, damaged in (("hard", True), ("undamaged", False)):
        result = evaluate(network, validation, seed=config.seed, damaged=damaged)
        logger.info("%s validation crops: %s", name, result)
    return save_float16(network, config.output / "landmarks.safetensors")


@torch.inference_mode()
def evaluate(
    network: LandmarkNet, portraits: list[Portrait], *, seed: int, damaged: bool = True, count: int = 4000
) -> LandmarkScores:
    """How well crops are judged and points are found; without `damaged`, crops are only placed at random."""
    rng = np.random.default_rng(seed)
    samples = [make_sample(*portraits[i % len(portraits)], rng, damaged=damaged) for i in range(count)]
    crops, _, faces = _stack(samples)
    logits = network(crops)[0]
    face = faces > 0
    errors = np.array(
        [_errors_by_pass(network, *portraits[i % len(portraits)], rng, damaged) for i in range(count // 2)]
    )
    return LandmarkScores(
        first_error=float(errors[:, 0].mean()),
        error=float(errors[:, 1].mean()),
        missed=float((logits[face] < 0).float().mean()),
        accepted=float((logits[~face] > 0).float().mean()),
    )


def _errors_by_pass(
    network: LandmarkNet,
    rgb: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    rng: np.random.Generator,
    damaged: bool,
) -> tuple[float, float]:
    """Errors after one look at a face placed at random, and after a second around what the first found."""
    square, angle = _around(landmarks, rng, near=False)
    margin = (_REGION_SIDE - CROP_SIDE) / 2
    matrix = crop_matrix(square, angle)
    matrix[:, 2] += margin
    picture = _warp(rgb, matrix, rng, _REGION_SIDE)
    if damaged:
        picture = _damage(picture, rng)
    truth = landmarks @ matrix[:, :2].T + matrix[:, 2]
    middle = np.array([(_REGION_SIDE - 1) / 2, (_REGION_SIDE - 1) / 2, CROP_SIDE], np.float32)
    found, errors = None, []
    for _ in range(2):
        look = crop_matrix(middle) if found is None else crop_matrix(square_around(found), tilt(found))
        crop = cv2.warpAffine(picture, look, (CROP_SIDE, CROP_SIDE), borderMode=cv2.BORDER_REFLECT_101)
        found = find_points(network, [crop.astype(np.uint8)], [look])[1][0]
        errors.append(np.hypot(*(found - truth).T).mean() * SIDE_PER_FACE / float(square_around(truth)[2]))
    return float(errors[0]), float(errors[1])


def _errors(predicted: Tensor, points: Tensor) -> Tensor:
    """(N,) mean distance of the points (N, 5, 2) over the size of the face, as `square_around` has it."""
    eyes = (points[:, 1] - points[:, 0]).norm(dim=-1)
    down = (points[:, 3:].mean(1) - points[:, :2].mean(1)).norm(dim=-1)
    return (predicted - points).norm(dim=-1).mean(-1) / torch.maximum(eyes, down).clamp_min(0.02)


def make_sample(
    rgb: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    damaged: bool = True,
    backgrounds: Sequence[NDArray[np.uint8]] = (),
    hard_negatives: Sequence[NDArray[np.uint8]] = (),
) -> Sample:
    """A crop (64, 64, 3), its points as fractions of the crop, and whether it shows a face."""
    face = rng.random() < 0.6
    if hard_negatives and not face and rng.random() < 0.5:
        return _crop_hard_negative(
            hard_negatives[int(rng.integers(len(hard_negatives)))], rng, damaged=damaged
        )
    # Half of the faces as a second look has them: upright, and nearly in place.
    square, angle = _around(landmarks, rng, near=rng.random() < 0.5)
    scrambled = not face and rng.random() < 0.15
    if not face and not scrambled:
        square, angle = _elsewhere(square_around(landmarks), rng)
    if backgrounds and not face and rng.random() < 0.4:
        rgb = backgrounds[int(rng.integers(len(backgrounds)))]
        square, scrambled = _anywhere(rgb, rng), False
    matrix = crop_matrix(square, angle)
    crop = _warp(rgb, matrix, rng) if face or rng.random() < 0.9 else _texture(rng)
    if scrambled:  # colours and parts of a face, in no order
        parts = crop.reshape(4, 16, 4, 16, 3).swapaxes(1, 2).reshape(16, 16, 16, 3)
        parts = parts[rng.permutation(16)].reshape(4, 4, 16, 16, 3)
        crop = np.ascontiguousarray(parts.swapaxes(1, 2).reshape(CROP_SIDE, CROP_SIDE, 3))
    points = ((landmarks @ matrix[:, :2].T + matrix[:, 2] + 0.5) / CROP_SIDE).astype(np.float32)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
        points = (np.array([1, 0]) + np.array([-1, 1]) * points)[MIRRORED].astype(np.float32)
    return (_damage(crop, rng) if damaged else np.ascontiguousarray(crop)), points, face


def _crop_hard_negative(place: NDArray[np.uint8], rng: np.random.Generator, *, damaged: bool) -> Sample:
    """A place without a face, moved a little from where it was taken for one."""
    middle = np.array([(SIDE - 1) / 2, (SIDE - 1) / 2, CROP_SIDE * np.exp(rng.normal(0, 0.15))], np.float32)
    middle[:2] += rng.normal(0, 0.06, 2) * CROP_SIDE
    crop = _warp(place, crop_matrix(middle, rng.normal(0, 12)), rng)
    if rng.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if damaged and rng.random() < 0.5:  # most of them are worn already
        crop = _damage(crop, rng)
    return crop, np.full((5, 2), 0.5, np.float32), False


def _around(
    landmarks: NDArray[np.float32], rng: np.random.Generator, *, near: bool
) -> tuple[NDArray[np.float32], float]:
    """A square that shows the face, and its tilt in degrees."""
    square = square_around(landmarks)
    if near:
        square[2] *= np.exp(rng.uniform(-0.1, 0.1))
        square[:2] += rng.uniform(-0.05, 0.05, 2) * square[2]
        return square, tilt(landmarks) + rng.normal(0, 4)
    angle = rng.normal(0, 15) if rng.random() < 0.8 else rng.uniform(-50, 50)
    square[2] *= np.exp(rng.uniform(-0.3, 0.35))
    square[:2] += rng.uniform(-0.16, 0.16, 2) * square[2]
    return square, angle


def _elsewhere(square: NDArray[np.float32], rng: np.random.Generator) -> tuple[NDArray[np.float32], float]:
    """A square that shows no face, or one at a wrong place, size or angle."""
    square = square.copy()
    kind = rng.integers(4)
    if kind == 0:  # beside the face
        turn = rng.uniform(0, 2 * np.pi)
        square[:2] += rng.uniform(0.42, 0.9) * square[2] * np.array([np.cos(turn), np.sin(turn)])
        square[2] *= rng.uniform(0.6, 1.2)
        return square, rng.normal(0, 20)
    if kind == 1:  # a part of it
        square[:2] += rng.uniform(-0.4, 0.4, 2) * square[2]
        square[2] *= rng.uniform(0.15, 0.42)
        return square, rng.normal(0, 20)
    if kind == 2:  # far too large
        square[:2] += rng.uniform(-0.5, 0.5, 2) * square[2]
        square[2] *= rng.uniform(2.2, 4)
        return square, rng.normal(0, 20)
    return square, rng.uniform(110, 250)  # upside down


def _anywhere(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """A square of 24 pixels up to most of the picture."""
    height, width = rgb.shape[:2]
    side = np.exp(rng.uniform(np.log(24), np.log(0.9 * min(height, width))))
    return np.array([rng.uniform(0, width), rng.uniform(0, height), side], np.float32)


def _warp(
    rgb: NDArray[np.uint8], matrix: NDArray[np.float64], rng: np.random.Generator, side: int = CROP_SIDE
) -> NDArray[np.uint8]:
    """The crop (side, side, 3); beyond the portrait lies its mirrored border, one colour, or noise."""
    while np.hypot(matrix[0, 0], matrix[0, 1]) < 0.6:  # shrunk first, as the detector does: no aliasing
        rgb = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
        matrix = np.column_stack([2 * matrix[:, :2], matrix[:, 2] + 0.5 * matrix[:, :2].sum(1)])
    border = cv2.BORDER_REFLECT_101 if rng.random() < 0.4 else cv2.BORDER_CONSTANT
    colour = tuple(int(v) for v in rng.integers(0, 255, 3))
    crop: NDArray[Any] = cv2.warpAffine(
        rgb, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=colour
    )
    if border == cv2.BORDER_CONSTANT and rng.random() < 0.6:
        inside = cv2.warpAffine(np.ones(rgb.shape[:2], np.float32), matrix, (side, side))
        crop = (inside[..., None] * crop + (1 - inside[..., None]) * _texture(rng, side)).astype(np.uint8)
    return crop


def _texture(rng: np.random.Generator, side: int = CROP_SIDE) -> NDArray[np.uint8]:
    """Smooth random colours, from a gradient to fine noise."""
    cells = int(rng.integers(2, 33))
    coarse = rng.integers(0, 255, (cells, cells, 3)).astype(np.uint8)
    return cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def _damage(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Colour, occlusion, blur, lower resolution, noise and compression, each with some probability."""
    x: NDArray[Any] = crop.astype(np.float32) / 255
    side = crop.shape[0]
    if rng.random() < 0.4:
        x = np.repeat((x @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, 2)
    x = (x - 0.5) * rng.uniform(0.4, 1.3) + 0.5 + rng.uniform(-0.2, 0.2)
    x = np.clip(x * (1 + rng.uniform(-0.15, 0.15, 3)), 0, 1) ** rng.uniform(0.6, 1.7)
    if rng.random() < 0.25:
        # In a larger picture as well it lies on the face in its middle.
        a, b = rng.integers(0, 48, 2) + (side - CROP_SIDE) // 2
        x[a : a + rng.integers(6, 26), b : b + rng.integers(6, 26)] = rng.random(3)
    if rng.random() < 0.5:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.3, 3.0))
    if rng.random() < 0.5:
        small = int(rng.integers(11, 48)) * side // CROP_SIDE
        x = cv2.resize(cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA), (side, side))
    if rng.random() < 0.5:
        x = x + rng.normal(0, rng.uniform(0, 0.1), (side, side, int(rng.choice([1, 3]))))
    x = np.clip(x, 0, 1).astype(np.float32)
    if rng.random() < 0.4:
        x = jpeg(x, int(rng.integers(15, 90)))
    return np.round(x * 255).astype(np.uint8)


def _batches(portraits: list[Portrait], config: LandmarkConfig) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    backgrounds = read_pictures(config.backgrounds) if config.backgrounds else []
    hard_negatives: list[NDArray[np.uint8]] = []
    if config.hard_negatives:
        yunet = YuNet(config.teacher, least=LEAST_SCORE)
        rng = np.random.default_rng(config.seed)
        network = load_landmark_net(config.start) if config.start else None
        hard_negatives = mine_hard_negatives(
            portraits, backgrounds, yunet, rng, config.hard_negatives, network
        )
        logger.info("%d places without a face collected", len(hard_negatives))

    often = np.array([rarity(points) for _, points in portraits])
    often /= often.sum()

    def make(step: int) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng([config.seed, step])
        chosen = rng.choice(len(portraits), config.batch, p=often)
        return _stack(
            [
                make_sample(
                    portraits[i][0],
                    portraits[i][1],
                    rng,
                    backgrounds=backgrounds,
                    hard_negatives=hard_negatives,
                )
                for i in chosen
            ]
        )

    return prefetch_steps(make, config.steps)


def _stack(
    samples: list[tuple[NDArray[np.uint8], NDArray[np.float32], bool]],
) -> tuple[Tensor, Tensor, Tensor]:
    crops, points, faces = zip(*samples, strict=True)
    return (
        to_input(list(crops)),
        torch.from_numpy(np.stack(points)),
        torch.tensor(faces, dtype=torch.float32),
    )
