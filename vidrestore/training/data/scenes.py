"""Random pictures without a face: dead leaves with texture, and heads whose face is covered.

The network must distinguish faces from everything else, and few pictures are available. Dead leaves (opaque
shapes of all sizes that cover each other) have edges, corners and sizes as in natural pictures; their texture
comes from real pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.faces.face_square import square_around
from vidrestore.training.data.portraits import Portrait
from vidrestore.types import FloatArray

Generator = np.random.Generator
Picture = NDArray[np.uint8]
Point = NDArray[np.floating]
_PART = 0.45
"""Largest share of a face's square in the texture of a leaf, so that it shows pieces of a face only."""


def dead_leaves(
    side: int, rng: Generator, portraits: Sequence[Portrait], pictures: Sequence[Picture]
) -> Picture:
    """A random picture without a face, (side, side, 3) RGB.

    Args:
        side: Its side in pixels.
        rng: The source of random numbers.
        portraits: Faces for pieces of texture.
        pictures: Other pictures for texture.
    """
    canvas = _texture(side, rng, portraits, pictures)
    for _ in range(int(rng.integers(0, 25))):
        size = float(np.exp(rng.uniform(np.log(5), np.log(side))))
        leaf = _texture(side, rng, portraits, pictures)
        mask = _shape(side, rng.uniform(0, side, 2), size, rng)
        canvas = (mask * leaf + (1 - mask) * canvas).astype(np.uint8)
    return canvas


def cover_face(
    side: int, portrait: Portrait, rng: Generator, portraits: Sequence[Portrait], pictures: Sequence[Picture]
) -> Picture:
    """A head with hair, neck and shoulders whose face is covered, as from behind: (side, side, 3) RGB.

    Args:
        side: Side of the picture in pixels.
        portrait: The head.
        rng: The source of random numbers.
        portraits: Faces for pieces of texture.
        pictures: Other pictures for texture.
    """
    rgb, landmarks = portrait
    picture = np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    x, y, square = square_around(landmarks) * (side / rgb.shape[0])
    mask = np.zeros((side, side), np.float32)
    axes = (int(square * rng.uniform(0.34, 0.42)), int(square * rng.uniform(0.45, 0.55)))
    cv2.ellipse(mask, (int(x), int(y)), axes, 0, 0, 360, 1.0, -1)
    share = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, 6))))[..., None]
    kind = rng.random()
    cover: NDArray[Any] = _texture(side, rng, portraits, pictures)
    if kind < 0.3:  # the colour of the hair or skin around it
        at = (int(x), int(np.clip(y - rng.uniform(0.4, 0.6) * square, 0, side - 1)))
        cover = picture[at[1], at[0]] + rng.normal(0, rng.uniform(1, 12), (side, side, 3))
    elif kind < 0.6:
        cover = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.12 * float(square)))
    return np.clip(share * cover + (1 - share) * picture, 0, 255).astype(np.uint8)


def _texture(
    side: int, rng: Generator, portraits: Sequence[Portrait], pictures: Sequence[Picture]
) -> Picture:
    """(side, side, 3): one colour, a gradient, noise, or a piece of a picture."""
    kind = rng.random()
    if kind < 0.25:
        return _slope(side, rng)
    if kind < 0.4:
        return _noise(side, rng)
    if pictures and kind < 0.75:
        picture = pictures[int(rng.integers(len(pictures)))]
        height, width = picture.shape[:2]
        seen = float(np.exp(rng.uniform(np.log(24), np.log(min(height, width)))))
        return _piece(side, picture, rng.uniform(0, (width, height)), seen, rng)
    picture, landmarks = portraits[int(rng.integers(len(portraits)))]
    square = square_around(landmarks)
    centre = square[:2] + rng.uniform(-0.5, 0.5, 2) * square[2]
    return _piece(side, picture, centre, float(rng.uniform(0.1, _PART) * square[2]), rng)


def _slope(side: int, rng: Generator) -> Picture:
    """A gradient between two colours, or one colour."""
    ends = rng.integers(0, 255, (2, 2, 3)).astype(np.uint8)
    if rng.random() < 0.5:
        ends[:] = ends[0, 0]
    return np.asarray(cv2.resize(ends, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _noise(side: int, rng: Generator) -> Picture:
    cells = int(rng.integers(3, side))
    noise = rng.uniform(0, 90) * rng.standard_normal((cells, cells, int(rng.choice([1, 3]))))
    coarse = np.clip(rng.uniform(0, 255, 3) + noise, 0, 255).astype(np.uint8)
    kernel = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=kernel), np.uint8)


def _piece(side: int, picture: Picture, centre: Point, seen: float, rng: Generator) -> Picture:
    """The picture within `seen` pixels of the centre, randomly rotated."""
    turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), rng.uniform(0, 360), side / seen)
    matrix = np.asarray(turn, np.float64)
    matrix[:, 2] += side / 2 - centre
    small, matrix_small = _shrunk(picture, matrix)
    # Repeated, not mirrored: a mirrored eye would give a pair of eyes.
    return np.asarray(cv2.warpAffine(small, matrix_small, (side, side), borderMode=cv2.BORDER_WRAP), np.uint8)


def _shape(side: int, centre: Point, size: float, rng: Generator) -> FloatArray:
    """A mask (side, side, 1): 1 within a polygon, an ellipse or a bar."""
    mask = np.zeros((side, side), np.float32)
    middle = (int(centre[0]), int(centre[1]))
    kind = rng.random()
    if kind < 0.5:
        axes = (max(int(size * rng.uniform(0.1, 0.6)), 1), max(int(size * rng.uniform(0.1, 0.6)), 1))
        cv2.ellipse(mask, middle, axes, float(rng.uniform(0, 360)), 0, 360, 1.0, -1, cv2.LINE_AA)
    elif kind < 0.7:
        turn = rng.uniform(0, np.pi)
        along = 0.5 * size * 3 * np.array([np.cos(turn), np.sin(turn)])
        ends = [tuple(int(v) for v in centre + sign * along) for sign in (-1, 1)]
        cv2.line(mask, ends[0], ends[1], 1.0, max(int(size * rng.uniform(0.05, 0.4)), 1), cv2.LINE_AA)
    else:
        corners = int(rng.integers(3, 7))
        turns = np.sort(rng.uniform(0, 2 * np.pi, corners))
        reach = size * rng.uniform(0.2, 0.7, corners)
        outline = centre + np.stack([reach * np.cos(turns), reach * np.sin(turns)], 1)
        cv2.fillPoly(mask, [outline.round().astype(np.int32)], 1.0, cv2.LINE_AA)
    if rng.random() < 0.4:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(np.exp(rng.uniform(-0.5, 1.5)))))
    return mask[..., None]


def _shrunk(picture: NDArray[Any], matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The picture, halved until the matrix (2, 3) hardly reduces it, so that warping does not alias."""
    while np.hypot(matrix[0, 0], matrix[1, 0]) < 0.6 and min(picture.shape[:2]) > 8:
        picture = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        matrix = np.column_stack([2 * matrix[:, :2], matrix[:, 2] + 0.5 * matrix[:, :2].sum(1)])
    return picture, matrix
