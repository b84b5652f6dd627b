"""Damage by codecs, on still and on moving pictures.

Pictures are (H, W, 3) RGB float32 in 0..1.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.training.data.degradation import jpeg
from vidrestore.types import FloatArray
from vidrestore.video.codec_round_trip import codec_round_trip
from vidrestore.video.h264_round_trip import h264_still

Generator = np.random.Generator


def compress_with_any_codec(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A copy after a random codec at a random rate, as a still or a moving picture."""
    picture = np.asarray(image, np.float32)
    kind = rng.random()
    if kind < 0.35 or min(image.shape[:2]) < 32:
        return jpeg(picture, int(rng.integers(12, 95)))
    if kind < 0.6:
        return h264_still(picture, crf=int(rng.integers(18, 42)))
    return compress_moving_picture(picture, rng)


def compress_moving_picture(image: FloatArray, rng: Generator) -> FloatArray:
    """The last of a few frames in which the picture moves, after a video codec at a random rate."""
    count, speed = int(rng.integers(2, 5)), rng.normal(0, 1.2, 2)
    name = str(rng.choice(["libx264", "libx264", "mpeg2video", "mpeg4"]))
    quality = int(rng.integers(20, 42)) if name == "libx264" else int(rng.integers(2, 22))
    frames = []
    for index in range(count):
        away = (index - (count - 1)) * speed
        matrix = np.array([[1, 0, away[0]], [0, 1, away[1]]])
        moved = cv2.warpAffine(
            image, matrix, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        frames.append(np.asarray(moved, np.float32) if away.any() else image)
    return codec_round_trip(frames, codec=name, quality=quality)[-1]
