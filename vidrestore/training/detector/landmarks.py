"""Trains the landmark network: it learns a teacher's points on clean portraits from damaged crops of them."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
from vidrestore.training.data.portraits import Portrait, load_portraits, rarity, read_pictures
from vidrestore.training.detector.hard_negatives import LEAST_SCORE, mine_hard_negatives
from vidrestore.training.detector.landmark_samples import Sample, damage, make_sample, square_near, warp
from vidrestore.training.detector.shared import prefetch_steps, read_detector_config, save_float16
from vidrestore.training.ema import update_ema

logger = logging.getLogger(__name__)
LOCATE_WEIGHT = 2.0
_REGION_SIDE = 160
"""Side of the damaged picture around a validation face, in pixels of the first pass."""


class LandmarkConfig(Section):
    """The configuration of the training of the landmark network."""

    faces: Path
    teacher: Path
    """The file of YuNet (libfacedetection)."""
    output: Path
    manifest: Path | None = None
    """A CSV file that says which people are held out; None: the folder's own, if it exists."""
    backgrounds: Path | None = None
    """A folder of pictures without faces; None: only wrong places of portraits, and textures."""
    hard_negatives: int = 0
    """False detections of YuNet to collect; they are half of the samples without a face. 0: none."""
    start: Path | None = None
    """Weights to start from; None: random weights."""
    steps: int = 4000
    batch: int = 64
    learning_rate: float = 2e-3
    ema: float = 0.999
    """Decay of the moving average of the weights, which is the result."""
    seed: int = 0
    validation_share: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkScores:
    """Scores over validation crops. Shares and distances are relative, 0..1."""

    first_error: float
    """Mean error of the five points divided by the size of the face, after one pass."""
    error: float
    """The same after a second pass, upright and around the points of the first, as in the detector."""
    missed: float
    """Faces refused."""
    accepted: float
    """Share of crops without a face that are taken for a face."""


def train(config_path: Path, overrides: list[str]) -> Path:
    """Trains the network and returns the file of weights (float16 safetensors)."""
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
    """Scores of the network on random crops.

    Args:
        network: The network.
        portraits: Portraits with their points.
        seed: The seed of the crops.
        damaged: Whether the crops are damaged.
        count: Number of crops.
    """
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
    """Errors after a first pass at a random place, and after a second pass around the found points."""
    square, angle = square_near(landmarks, rng, near=False)
    margin = (_REGION_SIDE - CROP_SIDE) / 2
    matrix = crop_matrix(square, angle)
    matrix[:, 2] += margin
    picture = warp(rgb, matrix, rng, _REGION_SIDE)
    if damaged:
        picture = damage(picture, rng)
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
    """(N,) mean error of the points (N, 5, 2), divided by the size of the face of `square_around`."""
    eyes = (points[:, 1] - points[:, 0]).norm(dim=-1)
    down = (points[:, 3:].mean(1) - points[:, :2].mean(1)).norm(dim=-1)
    return (predicted - points).norm(dim=-1).mean(-1) / torch.maximum(eyes, down).clamp_min(0.02)


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
    samples: list[Sample],
) -> tuple[Tensor, Tensor, Tensor]:
    crops, points, faces = zip(*samples, strict=True)
    return (
        to_input(list(crops)),
        torch.from_numpy(np.stack(points)),
        torch.tensor(faces, dtype=torch.float32),
    )
