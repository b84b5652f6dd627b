"""Degrades frames in their own pixel format."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from vidrestore.colour.yuv_rgb import planes_from_rgb, rgb_region
from vidrestore.degradation.recipes import Recipe
from vidrestore.types import FloatArray, Frame, Plane


def degrade_frames(
    frames: Iterable[Frame], recipe: Recipe, rng: np.random.Generator
) -> Iterator[tuple[Frame, Frame]]:
    """Pairs of clean and degraded frames with the same timestamps and format.

    Args:
        frames: The frames; a few of them are in memory at the same time.
        recipe: Degrades pictures.
        rng: The source of random numbers.
    """
    clean: deque[Frame] = deque()

    def pictures() -> Iterator[FloatArray]:
        for frame in frames:
            clean.append(frame)
            yield rgb_region(frame, 0, 0, frame.width, frame.height).clip(0, 1)

    for picture in recipe(pictures(), rng):
        frame = clean.popleft()
        yield frame, _with_picture(frame, picture)


def _with_picture(frame: Frame, picture: FloatArray) -> Frame:
    """The frame with other colours; its alpha is not changed."""
    peak = (1 << frame.format.bit_depth) - 1
    planes: list[Plane] = []
    for plane in planes_from_rgb(np.asarray(picture, np.float32), frame):
        codes = np.rint(plane).clip(0, peak)
        planes.append(codes.astype(np.uint8) if frame.format.bit_depth == 8 else codes.astype(np.uint16))
    return replace(frame, planes=(*planes, *frame.planes[len(planes) :]))
