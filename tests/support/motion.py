"""Faces that move in a known way over frames of a known look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from vidrestore.faces.alignment import template
from vidrestore.types import ColourTags, Detection, Frame, FrameFaces, PixelFormat

GREY = PixelFormat(name="gray", family="gray", bit_depth=8)
RATE = 25
FACE = template(100).astype(np.float64) - template(100).mean(0)
"""Five points of a face some 100 pixels large, around its middle."""


def picture(seed: int, size: tuple[int, int] = (240, 320)) -> np.ndarray:
    """A smooth random picture, another for each seed."""
    import cv2

    coarse = np.random.default_rng(seed).integers(0, 255, (6, 8)).astype(np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


def frame(index: int, background: np.ndarray, pts: int | None = None) -> Frame:
    return Frame(
        index=index,
        pts=index if pts is None else pts,
        duration=1,
        time_base=Fraction(1, RATE),
        planes=(background,),
        format=GREY,
        colour=ColourTags(full_range=True),
    )


def face(centre: Sequence[float], score: float = 0.95, noise: np.ndarray | None = None) -> Detection:
    points = FACE + np.asarray(centre, np.float64)
    if noise is not None:
        points = points + noise
    x, y = points.mean(0)
    return Detection(
        box=np.array([x - 36, y - 36, x + 36, y + 36], np.float32),
        landmarks=points.astype(np.float32),
        score=score,
    )


def rolled(detection: Detection, angle: float) -> Detection:
    """The same face turned by `angle` degrees, clockwise in the picture, around its middle."""
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = detection.landmarks.mean(0)
    return replace(
        detection, landmarks=((detection.landmarks - middle) @ matrix.T + middle).astype(np.float32)
    )


def clip(
    count: int,
    places: Callable[[int], Sequence[Detection]],
    look: Callable[[int], np.ndarray] = lambda _: picture(0),
) -> Iterator[FrameFaces[Detection]]:
    for i in range(count):
        yield FrameFaces(frame=frame(i, look(i)), faces=tuple(places(i)))


def truth(centre: Sequence[float]) -> np.ndarray:
    return FACE + np.asarray(centre, np.float64)
