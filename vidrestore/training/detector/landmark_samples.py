"""Random training samples for the landmark network: crops with and without a face, with random damage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.detection.landmark_net import CROP_SIDE, crop_matrix
from vidrestore.faces.face_square import square_around, tilt
from vidrestore.training.data.degradation import jpeg
from vidrestore.training.data.portraits import MIRRORED
from vidrestore.training.detector.hard_negatives import SIDE

Sample = tuple[NDArray[np.uint8], NDArray[np.float32], bool]


def make_sample(
    rgb: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    damaged: bool = True,
    backgrounds: Sequence[NDArray[np.uint8]] = (),
    hard_negatives: Sequence[NDArray[np.uint8]] = (),
) -> Sample:
    """A crop (64, 64, 3), its points as fractions of the crop, and whether it shows a face.

    Args:
        rgb: A portrait (h, w, 3).
        landmarks: Its five points (5, 2) [px].
        rng: The source of random numbers.
        damaged: Whether to damage the crop.
        backgrounds: Pictures without faces.
        hard_negatives: Places from `mine_hard_negatives`.
    """
    face = rng.random() < 0.6
    if hard_negatives and not face and rng.random() < 0.5:
        return _crop_hard_negative(
            hard_negatives[int(rng.integers(len(hard_negatives)))], rng, damaged=damaged
        )
    # Half of the faces as in the second pass of detection: upright, and nearly in place.
    square, angle = square_near(landmarks, rng, near=rng.random() < 0.5)
    scrambled = not face and rng.random() < 0.15
    if not face and not scrambled:
        square, angle = _elsewhere(square_around(landmarks), rng)
    if backgrounds and not face and rng.random() < 0.4:
        rgb = backgrounds[int(rng.integers(len(backgrounds)))]
        square, scrambled = _anywhere(rgb, rng), False
    matrix = crop_matrix(square, angle)
    crop = warp(rgb, matrix, rng) if face or rng.random() < 0.9 else _texture(rng)
    if scrambled:  # colours and parts of a face, in random positions
        parts = crop.reshape(4, 16, 4, 16, 3).swapaxes(1, 2).reshape(16, 16, 16, 3)
        parts = parts[rng.permutation(16)].reshape(4, 4, 16, 16, 3)
        crop = np.ascontiguousarray(parts.swapaxes(1, 2).reshape(CROP_SIDE, CROP_SIDE, 3))
    points = ((landmarks @ matrix[:, :2].T + matrix[:, 2] + 0.5) / CROP_SIDE).astype(np.float32)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
        points = (np.array([1, 0]) + np.array([-1, 1]) * points)[MIRRORED].astype(np.float32)
    return (damage(crop, rng) if damaged else np.ascontiguousarray(crop)), points, face


def _crop_hard_negative(place: NDArray[np.uint8], rng: np.random.Generator, *, damaged: bool) -> Sample:
    """A place without a face, slightly moved."""
    middle = np.array([(SIDE - 1) / 2, (SIDE - 1) / 2, CROP_SIDE * np.exp(rng.normal(0, 0.15))], np.float32)
    middle[:2] += rng.normal(0, 0.06, 2) * CROP_SIDE
    crop = warp(place, crop_matrix(middle, rng.normal(0, 12)), rng)
    if rng.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if damaged and rng.random() < 0.5:  # most of them are damaged already
        crop = damage(crop, rng)
    return crop, np.full((5, 2), 0.5, np.float32), False


def square_near(
    landmarks: NDArray[np.float32], rng: np.random.Generator, *, near: bool
) -> tuple[NDArray[np.float32], float]:
    """A random square that shows the face, and its rotation in degrees.

    Args:
        landmarks: The five points (5, 2) [px].
        rng: The source of random numbers.
        near: Whether it is nearly in place and upright.
    """
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
    """A square without a face, or with a face at a wrong place, size or angle."""
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
    """A random square, from 24 pixels up to most of the picture."""
    height, width = rgb.shape[:2]
    side = np.exp(rng.uniform(np.log(24), np.log(0.9 * min(height, width))))
    return np.array([rng.uniform(0, width), rng.uniform(0, height), side], np.float32)


def warp(
    rgb: NDArray[np.uint8], matrix: NDArray[np.float64], rng: np.random.Generator, side: int = CROP_SIDE
) -> NDArray[np.uint8]:
    """The crop (side, side, 3). Outside the portrait it shows the mirrored border, one colour, or noise.

    Args:
        rgb: The portrait.
        matrix: (2, 3) from the portrait to the crop.
        rng: The source of random numbers.
        side: Side of the crop [px].
    """
    while np.hypot(matrix[0, 0], matrix[0, 1]) < 0.6:  # reduced first, as in the detector, to avoid aliasing
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


def damage(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A copy with random damage: colour, occlusion, blur, lower resolution, noise and compression."""
    x: NDArray[Any] = crop.astype(np.float32) / 255
    side = crop.shape[0]
    if rng.random() < 0.4:
        x = np.repeat((x @ np.array(BT601_LUMA, np.float32))[..., None], 3, 2)
    x = (x - 0.5) * rng.uniform(0.4, 1.3) + 0.5 + rng.uniform(-0.2, 0.2)
    x = np.clip(x * (1 + rng.uniform(-0.15, 0.15, 3)), 0, 1) ** rng.uniform(0.6, 1.7)
    if rng.random() < 0.25:
        # It covers the face in the middle, also in a larger picture.
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
