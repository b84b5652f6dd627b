"""Damage by low resolution and low bit rates: broadcasts and clips of old phones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray
from vidrestore.video import stream_through_h264

Generator = np.random.Generator
_LINES = 480


def degrade_broadcast(pictures: Iterable[FloatArray], rng: Generator) -> Iterator[FloatArray]:
    """The pictures at a low resolution and bit rate, with quality that varies with key frames."""
    factor, quality = rng.uniform(1.8, 3.6), int(rng.integers(29, 37))

    def sharpened() -> Iterator[FloatArray]:
        for picture in pictures:
            soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
            yield (picture + 0.4 * (picture - soft)).astype(np.float32)

    yield from _coded_small(sharpened(), factor, quality, key_frames_every=25)


def degrade_phone(pictures: Iterable[FloatArray], rng: Generator) -> Iterator[FloatArray]:
    """The pictures as from an old phone: camera shake, filtered sensor noise, sharpening, a low bit rate."""
    factor, quality = rng.uniform(1.4, 2.6), int(rng.integers(26, 34))
    noise, filtered = rng.uniform(0.02, 0.06), rng.uniform(0.04, 0.12)
    shake = np.zeros(2)

    def recorded() -> Iterator[FloatArray]:
        nonlocal shake
        for picture in pictures:
            scale = picture.shape[0] / _LINES
            shake = 0.7 * shake + rng.normal(0, 0.8, 2)
            blurred = _streak(picture, shake * scale)
            level = np.sqrt(0.08 + blurred.clip(0, 1))
            noisy = blurred + noise * level * rng.standard_normal(picture.shape, dtype=np.float32)
            smooth = cv2.bilateralFilter(noisy.astype(np.float32), 5, filtered, 2.0)
            soft = cv2.GaussianBlur(smooth, (0, 0), 1.0)
            yield np.asarray(smooth + 0.6 * (np.asarray(smooth) - np.asarray(soft)), np.float32)

    yield from _coded_small(recorded(), factor, quality, key_frames_every=60)


def _coded_small(
    pictures: Iterable[FloatArray], factor: float, quality: int, *, key_frames_every: int
) -> Iterator[FloatArray]:
    """The pictures after reduction by `factor`, x264, and enlargement. A few frames are in memory."""
    sizes: deque[tuple[int, int]] = deque()

    def small() -> Iterator[NDArray[np.uint8]]:
        for picture in pictures:
            height, width = picture.shape[:2]
            sizes.append((width, height))
            coded = (_even(width / factor), _even(height / factor))
            shrunk = np.asarray(cv2.resize(picture, coded, interpolation=cv2.INTER_AREA))
            yield np.rint(shrunk.clip(0, 1) * 255).astype(np.uint8)

    for codes in stream_through_h264(small(), crf=quality, key_frames_every=key_frames_every):
        grown = cv2.resize(codes.astype(np.float32) / 255, sizes.popleft(), interpolation=cv2.INTER_CUBIC)
        yield np.asarray(grown, np.float32).clip(0, 1)


def _even(side: float) -> int:
    """An even side of at least 16 pixels, for codecs with 4:2:0."""
    return max(round(side / 2) * 2, 16)


def _streak(picture: FloatArray, motion: NDArray[np.float64]) -> FloatArray:
    """The picture, blurred along a centred motion (x, y) [px], so that it does not move."""
    length = float(np.hypot(*motion))
    if length < 0.5:
        return picture
    radius = int(np.ceil(length / 2))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    along = (motion[0] * x + motion[1] * y) / length
    across = (motion[0] * y - motion[1] * x) / length
    kernel = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT_101), np.float32)
