"""Degradations for validation: none is used in training, and all are written separately, from other parts.

Each takes a clean aligned face (S, S, 3) RGB in 0..1 and a random generator and gives the degraded face in 8
bits. Sizes are in pixels of a face crop of 256.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

Generator = np.random.Generator
Recipe = Callable[[FloatArray, Generator], FloatArray]


def clean(face: FloatArray, rng: Generator) -> FloatArray:
    """The face itself, at sizes of 90 to 256 pixels in its frame, enlarged as alignment enlarges it."""
    size = int(rng.choice([90, 128, 180, face.shape[0]]))
    if size == face.shape[0]:
        return _codes(face)
    small = _codes(_resize(face, size, cv2.INTER_AREA))
    return _codes(_resize(small, face.shape[0], cv2.INTER_CUBIC))


def mild(face: FloatArray, rng: Generator) -> FloatArray:
    """A little blur, a little noise, JPEG."""
    soft = cv2.GaussianBlur(face, (0, 0), rng.uniform(0.6, 1.0))
    noisy = soft + rng.normal(0, rng.uniform(3, 6) / 255, face.shape)
    return _jpeg(noisy, int(rng.integers(40, 70)))


def vhs(face: FloatArray, rng: Generator) -> FloatArray:
    """Luma of limited bandwidth with ringing, chroma of far less, noise along the lines, dropouts."""
    ycc = _to_ycc(face)
    ringing = np.array([-0.06, 0.11, -0.19, 0.34, 0.6, 0.34, -0.19, 0.11, -0.06], np.float32)
    ycc[..., 0] = cv2.filter2D(ycc[..., 0], -1, (ringing / ringing.sum())[None])
    reach = int(rng.integers(9, 17))
    for channel in (1, 2):
        wide = cv2.blur(ycc[..., channel], (reach, 2))
        ycc[..., channel] = np.roll(wide, int(rng.integers(1, 4)), axis=1)
    drawn_out = cv2.blur(rng.normal(0, 1, ycc.shape).astype(np.float32), (4, 1))
    ycc += drawn_out / drawn_out.std() * np.array([9, 5, 5], np.float32) / 255 * rng.uniform(0.7, 1.2)
    ycc[..., 0] += rng.normal(0, 2.5 / 255, (face.shape[0], 1))
    for _ in range(int(rng.integers(1, 4))):
        row, column = rng.integers(0, face.shape[0], 2)
        ycc[row, column : column + int(rng.integers(10, 60)), 0] = rng.uniform(0.7, 1.0)
    return _codes(_to_rgb(ycc))


def codec(face: FloatArray, rng: Generator) -> FloatArray:
    """Three or four times smaller, moving, in x264 at a very low bit rate, enlarged again."""
    size = face.shape[0] // int(rng.choice([3, 4])) // 2 * 2
    small = _resize(face, size, cv2.INTER_AREA)
    frames = [np.roll(small, (i, -i), (0, 1)) for i in range(5)]
    coded = _encode(frames, "libx264", {"crf": str(int(rng.integers(30, 37))), "preset": "medium", "bf": "0"})
    return _codes(_resize(np.roll(coded[-1], (-4, 4), (0, 1)), face.shape[0], cv2.INTER_CUBIC))


def film(face: FloatArray, rng: Generator) -> FloatArray:
    """Sixteen millimetres: defocus, coarse grain that depends on density, a little weave."""
    radius = rng.uniform(1.5, 2.4)
    side = 2 * int(np.ceil(radius)) + 1
    y, x = np.mgrid[:side, :side] - side // 2
    kernel = (np.hypot(x, y) <= radius).astype(np.float32)
    image = cv2.filter2D(face, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
    weave = np.array([[1, 0, rng.normal(0, 0.3)], [0, 1, rng.normal(0, 0.3)]])
    image = cv2.warpAffine(image, weave, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)
    coarse = cv2.resize(
        rng.normal(0, 1, (face.shape[0] // 2 + 1, face.shape[1] // 2 + 1, 3)).astype(np.float32),
        face.shape[1::-1],
        interpolation=cv2.INTER_CUBIC,
    )
    coarse = 0.7 * coarse.mean(2, keepdims=True) + 0.3 * coarse
    density = np.sqrt(np.clip(image, 0.02, 1) * (1.1 - np.clip(image, 0, 1))) * 2
    return _codes(image + coarse / coarse.std() * density * rng.uniform(10, 16) / 255)


def noise(face: FloatArray, rng: Generator) -> FloatArray:
    """A sensor in the dark: Poisson noise and noise of its own."""
    photons = rng.uniform(60, 200)
    shot = rng.poisson(np.clip(face, 0, 1) * photons) / photons
    return _codes(shot + rng.normal(0, rng.uniform(3, 9) / 255, face.shape))


def severe(face: FloatArray, rng: Generator) -> FloatArray:
    """A face of 17 to 40 pixels (its box; the crop is 1.7 times as wide), noisy, in JPEG, enlarged."""
    size = int(rng.integers(29, 69))
    soft = cv2.GaussianBlur(face, (0, 0), face.shape[0] / size * rng.uniform(0.3, 0.6))
    small = _resize(soft, size, cv2.INTER_AREA) + rng.normal(0, rng.uniform(1, 6) / 255, (size, size, 3))
    return _codes(_resize(_jpeg(small, int(rng.integers(50, 85))), face.shape[0], cv2.INTER_CUBIC))


def large(face: FloatArray, rng: Generator) -> FloatArray:
    """Noise at the resolution of a large face."""
    return _codes(face + rng.normal(0, rng.uniform(8, 16) / 255, face.shape))


RECIPES: dict[str, Recipe] = {
    "clean": clean,
    "mild": mild,
    "vhs": vhs,
    "codec": codec,
    "film": film,
    "noise": noise,
    "severe": severe,
    "large": large,
}


def _codes(image: NDArray[Any]) -> FloatArray:
    return (np.round(np.clip(image, 0, 1) * 255) / 255).astype(np.float32)


def _resize(image: NDArray[Any], size: int, interpolation: int) -> NDArray[Any]:
    return np.asarray(cv2.resize(image, (size, size), interpolation=interpolation))


def _jpeg(image: NDArray[Any], quality: int) -> FloatArray:
    codes = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", codes[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[:, :, ::-1].astype(np.float32) / 255


def _to_ycc(image: FloatArray) -> FloatArray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb), np.float32)


def _to_rgb(image: FloatArray) -> FloatArray:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image, np.float32), cv2.COLOR_YCrCb2RGB), np.float32)


def _encode(frames: list[NDArray[Any]], name: str, options: dict[str, str]) -> list[FloatArray]:
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    height, width = frames[0].shape[:2]
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.thread_count, encoder.options = 1, options
    packets = []
    for index, picture in enumerate(frames):
        codes = np.ascontiguousarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8))
        frame = av.VideoFrame.from_ndarray(codes, format="rgb24").reformat(format="yuv420p")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoded = [f for packet in [*packets, None] for f in decoder.decode(packet)]
    return [f.to_ndarray(format="rgb24").astype(np.float32) / 255 for f in decoded]
