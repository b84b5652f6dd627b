"""Clean frames, degraded as users' videos are; the same frames in every run.

broadcast   a quarter of the size, H.264 at a very low bit rate, and back: blocks that pump from key frame to
            key frame
print       blur, 2.5 times smaller, new grain in every frame, exposure that breathes, scratches and dust

Both are what video does over time: codecs carry errors on, film does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import planes_from_rgb, rgb_region
from vidrestore.training.data.footage_degradation import grain, wear
from vidrestore.types import FloatArray, Frame
from vidrestore.video import stream_through_h264

BROADCAST_SHRINK, BROADCAST_CRF = 4.0, 34
PRINT_SHRINK, PRINT_BLUR, PRINT_GRAIN, PRINT_BREATH = 2.5, 1.0, 0.05, 0.03


def broadcast(pictures: Iterable[FloatArray], _: np.random.Generator) -> Iterator[FloatArray]:
    """See the module. Lazy: holds what the encoder and the decoder hold."""
    sizes: list[tuple[int, int]] = []

    def small() -> Iterator[NDArray[np.uint8]]:
        for picture in pictures:
            height, width = picture.shape[:2]
            sizes[:] = [(width, height)]
            even = [round(side / BROADCAST_SHRINK / 2) * 2 for side in (width, height)]
            shrunk = np.asarray(cv2.resize(picture, (even[0], even[1]), interpolation=cv2.INTER_AREA))
            yield np.rint(shrunk.clip(0, 1) * 255).astype(np.uint8)

    for codes in stream_through_h264(small(), crf=BROADCAST_CRF):
        grown = cv2.resize(codes.astype(np.float32) / 255, sizes[0], interpolation=cv2.INTER_CUBIC)
        yield np.asarray(grown.clip(0, 1), np.float32)


def worn_print(pictures: Iterable[FloatArray], rng: np.random.Generator) -> Iterator[FloatArray]:
    """See the module."""
    phase = rng.uniform(0, 2 * np.pi)
    for index, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), PRINT_BLUR))
        size = (round(width / PRINT_SHRINK), round(height / PRINT_SHRINK))
        shrunk = np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_AREA))
        exposure = 1 + PRINT_BREATH * (np.sin(phase + 0.9 * index) + 0.5 * rng.standard_normal())
        damaged = grain(shrunk * exposure, PRINT_GRAIN, 0.6, rng)
        if rng.random() < 0.3:
            damaged = wear(damaged, rng)
        grown = cv2.resize(damaged.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        yield np.asarray(grown.clip(0, 1), np.float32)


KINDS: dict[str, Callable[[Iterable[FloatArray], np.random.Generator], Iterator[FloatArray]]] = {
    "broadcast": broadcast,
    "print": worn_print,
}


def degrade(frames: Iterable[Frame], kind: str, seed: int = 0) -> Iterator[tuple[Frame, Frame]]:
    """(clean, degraded) frames in the same pixel format."""
    clean: list[Frame] = []

    def pictures() -> Iterator[FloatArray]:
        for frame in frames:
            clean.append(frame)
            yield rgb_region(frame, 0, 0, frame.width, frame.height)

    for picture in KINDS[kind](pictures(), np.random.default_rng(seed)):
        frame = clean.pop(0)
        peak = (1 << frame.format.bit_depth) - 1
        planes = planes_from_rgb(picture, frame)
        yield (
            frame,
            replace(
                frame, planes=tuple(np.rint(p).clip(0, peak).astype(frame.planes[0].dtype) for p in planes)
            ),
        )
