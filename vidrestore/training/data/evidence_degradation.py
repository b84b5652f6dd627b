"""Degradation for the evidence network: broad rather than realistic.

A network fails on what it has not met, so every kind of damage is drawn by itself and in mixtures of random
order: optics, scale, noise of many shapes, analogue video, film, codecs on moving pictures, sharpening.
A fair share of the pictures stays clean or nearly clean: the network must learn to leave them alone.

All pictures are (H, W, 3) RGB float32 in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.training.data.degradation import blur_kernel, jpeg
from vidrestore.training.data.footage_degradation import comb, tape, wear
from vidrestore.types import FloatArray
from vidrestore.video.codec_round_trip import codec_round_trip
from vidrestore.video.h264_round_trip import h264_still

Generator = np.random.Generator
Operation = Callable[[NDArray[Any], Generator], NDArray[Any]]

CLEAN, NEARLY_CLEAN, MODERATE = 0.1, 0.14, 0.26
"""Shares of pictures that stay as they are, that lose next to nothing, and that lose a little."""
OPTICS = 0.6
"""Share of the degraded pictures that a lens or a motion has blurred."""
FULL_SIZE = 0.45
"""Share of the degraded pictures whose resolution is kept."""
LARGEST_REDUCTION = 9.0
SMALLEST_SIDE = 14
_SHRINKING = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_ENLARGING = (cv2.INTER_CUBIC, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def degrade_for_evidence(clean: FloatArray, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """The target and its degraded copy, both in 8 bits and alike in size.

    The target has the tone of the degraded picture (grey, faded, clipped): the network restores a picture, it
    does not grade it.
    """
    target = _quantise(_tone(clean, rng))
    kind = rng.random()
    if kind < CLEAN:
        return target, target
    if kind < CLEAN + NEARLY_CLEAN:
        return target, _quantise(_nearly_clean(target, rng))
    if kind < CLEAN + NEARLY_CLEAN + MODERATE:
        return target, _quantise(_moderate(target, rng))
    image: NDArray[Any] = target
    if rng.random() < OPTICS:
        image = _optics(image, rng)
    height, width = image.shape[:2]
    is_reduced = rng.random() > FULL_SIZE
    if is_reduced:
        image = _reduce(image, rng)
    operations = _choose_operations(rng)
    for operation in operations:
        image = np.clip(operation(np.asarray(image, np.float32), rng), 0, 1)
    if is_reduced:
        kernel = int(rng.choice(_ENLARGING))
        image = np.asarray(cv2.resize(_quantise(image), (width, height), interpolation=kernel)).clip(0, 1)
        if rng.random() < 0.15:
            image = np.clip(_codec(np.asarray(image, np.float32), rng), 0, 1)
        if rng.random() < 0.15:
            image = white_noise(image, rng.uniform(0.5, 8) / 255, rng)
    return target, _quantise(image)


def _choose_operations(rng: Generator) -> list[Operation]:
    """What happens to a picture at its own resolution, in which order."""
    chosen: list[Operation] = []
    shares: list[tuple[float, Operation]] = [
        (0.6, _noise),
        (0.12, _noise),
        (0.16, _analogue_video),
        (0.12, _sharpening),
        (0.07, _film_wear),
        (0.03, _interlacing),
        (0.03, _dropouts),
    ]
    chosen = [operation for share, operation in shares if rng.random() < share]
    order = rng.permutation(len(chosen))
    chosen = [chosen[i] for i in order]
    if rng.random() < 0.55:
        chosen.append(_codec)
        if rng.random() < 0.2:
            chosen.insert(int(rng.integers(0, len(chosen))), _codec)
    return chosen


def _nearly_clean(image: FloatArray, rng: Generator) -> NDArray[Any]:
    """A little of one or two things."""
    changed: NDArray[Any] = image
    kind = rng.random()
    if kind < 0.35:
        changed = white_noise(changed, rng.uniform(0.3, 3) / 255, rng)
    elif kind < 0.5:
        changed = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.2, 0.7))
    elif kind < 0.6:
        changed = correlated_noise(changed, rng.uniform(0.3, 3) / 255, rng)
    if kind > 0.5 or rng.random() < 0.2:
        clipped = np.clip(changed, 0, 1).astype(np.float32)
        if rng.random() < 0.5:
            changed = jpeg(clipped, int(rng.integers(82, 100)))
        else:
            changed = h264_still(clipped, crf=int(rng.integers(8, 21)))
    return changed


def _moderate(image: FloatArray, rng: Generator) -> NDArray[Any]:
    """What most footage has: a lens that is not quite sharp, a little noise, a codec at a usual rate."""
    changed: NDArray[Any] = image
    if rng.random() < 0.85:
        changed = _soft_lens(changed, rng)
    height, width = image.shape[:2]
    is_reduced = rng.random() < 0.3
    if is_reduced:
        size = tuple(max(round(side / rng.uniform(1.0, 1.9)), SMALLEST_SIDE) for side in (width, height))
        changed = cv2.resize(changed, size, interpolation=int(rng.choice(_SHRINKING)))
    if rng.random() < 0.8:
        sigma = float(np.exp(rng.uniform(np.log(0.8), np.log(9)))) / 255
        add_noise = (white_noise, white_noise, signal_noise, correlated_noise)[int(rng.integers(4))]
        changed = add_noise(changed, sigma, rng)
    if rng.random() < 0.12:
        changed = _sharpening(changed, rng)
    picture = np.clip(changed, 0, 1).astype(np.float32)
    kind = rng.random()
    if kind < 0.45:
        picture = jpeg(picture, int(rng.integers(30, 93)))
    elif kind < 0.6:
        picture = h264_still(picture, crf=int(rng.integers(16, 32)))
    elif kind < 0.75:
        picture = moving_codec(picture, rng)
    if not is_reduced:
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=int(rng.choice(_ENLARGING[:4]))))


def _soft_lens(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A blur of about a pixel, of one of several shapes."""
    kind = rng.random()
    if kind < 0.5:
        sigma = rng.uniform(0.35, 1.5)
        aspect = rng.choice([1.0, 1.0, rng.uniform(0.5, 2)])
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigmaX=sigma, sigmaY=sigma * aspect))
    kernel = disc(rng.uniform(0.5, 1.8)) if kind < 0.8 else streak(rng.uniform(1.2, 4), rng.uniform(0, np.pi))
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def _tone(clean: FloatArray, rng: Generator) -> NDArray[Any]:
    """Other light, contrast and colour, as film, video and phones give a clean picture."""
    image: NDArray[Any] = clean
    kind = rng.random()
    if kind < 0.15:
        image = np.repeat((image @ _LUMA)[..., None], 3, axis=2)
    elif kind < 0.35:
        grey = (image @ _LUMA)[..., None]
        image = grey + rng.uniform(0.3, 1.5) * (image - grey)
    if rng.random() < 0.2:
        image = image * (1 + rng.uniform(-0.15, 0.15, 3))
    if rng.random() < 0.3:
        image = np.clip(image, 0, 1) ** rng.uniform(0.6, 1.7)
    kind = rng.random()
    if kind < 0.15:
        black, white = rng.uniform(0, 0.15), rng.uniform(0.75, 1.0)
        image = black + (white - black) * image
    elif kind < 0.3:
        image = (image - 0.5) * rng.uniform(1.0, 1.4) + 0.5 + rng.uniform(-0.12, 0.12)
    elif kind < 0.4:
        image = image * rng.uniform(0.25, 0.8)
    return np.clip(image, 0, 1)


def _optics(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """Gaussian blur of any shape, defocus, or motion."""
    kind = rng.random()
    if kind < 0.3:
        return np.asarray(
            cv2.GaussianBlur(image, (0, 0), float(np.exp(rng.uniform(np.log(0.3), np.log(4.5)))))
        )
    if kind < 0.5:
        largest = float(np.exp(rng.uniform(np.log(0.6), np.log(5))))
        sigma = (largest, largest * rng.uniform(0.2, 1))
        kernel = blur_kernel(
            radius=int(np.ceil(3 * largest)), sigma=sigma, angle=rng.uniform(-np.pi, np.pi), isotropic=False
        )
    elif kind < 0.75:
        kernel = disc(float(np.exp(rng.uniform(np.log(0.5), np.log(6)))))
    else:
        kernel = streak(rng.uniform(1.5, 12), rng.uniform(0, np.pi))
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def _reduce(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A smaller copy."""
    factor = float(np.exp(rng.uniform(np.log(1.1), np.log(LARGEST_REDUCTION))))
    height, width = (max(round(side / factor), SMALLEST_SIDE) for side in image.shape[:2])
    kernel = int(rng.choice(_SHRINKING))
    return np.asarray(cv2.resize(image, (width, height), interpolation=kernel)).clip(0, 1)


def white_noise(
    image: NDArray[Any], sigma: float, rng: Generator, *, colour: float | None = None
) -> NDArray[Any]:
    """Gaussian noise without correlation; `colour` 0..1: how much of it differs between channels."""
    spread = rng.choice([0.0, 1.0, rng.uniform(0, 1)]) if colour is None else colour
    shape = image.shape[:2]
    noise = rng.standard_normal((*shape, 1), dtype=np.float32) * np.float32(np.sqrt(1 - spread**2))
    if spread:
        noise = noise + np.float32(spread) * rng.standard_normal((*shape, 3), dtype=np.float32)
    return np.asarray(image + np.float32(sigma) * noise)


def correlated_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """Noise with a spectrum of its own: grains, blotches, noise drawn out along the lines."""
    spread = rng.choice([0.0, 0.3, 1.0])
    noise = rng.standard_normal((*image.shape[:2], 3), dtype=np.float32)
    along, across = np.exp(rng.uniform(np.log(0.35), np.log(2.5), 2))
    if rng.random() < 0.3:
        across = 0.01
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=along, sigmaY=across))
    if rng.random() < 0.3:  # a sharpened recorder overshoots on its own noise
        noise = noise + rng.uniform(0.5, 2) * (noise - np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5)))
    noise = spread * noise + (1 - spread) * noise.mean(axis=2, keepdims=True)
    noise *= sigma / max(float(noise.std()), 1e-6)
    if rng.random() < 0.5:  # grain is strongest at mid grey
        luma = (image @ _LUMA)[..., None].clip(0, 1)
        noise = noise * (0.35 + 2.6 * luma * (1 - luma))
    return np.asarray(image + noise)


def signal_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """A sensor's noise, whose variance grows with the light, in each channel by itself."""
    level = np.sqrt(0.08 + np.clip(image, 0, 1))
    return np.asarray(image + np.float32(sigma) * level * rng.standard_normal(image.shape, dtype=np.float32))


def _noise(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    sigma = float(np.exp(rng.uniform(np.log(1.0), np.log(36)))) / 255
    kind = rng.random()
    if kind < 0.3:
        return white_noise(image, sigma, rng)
    if kind < 0.65:
        return correlated_noise(image, 0.8 * sigma, rng)
    if kind < 0.8:
        return signal_noise(image, sigma, rng)
    if kind < 0.9:
        return _line_noise(image, 0.5 * sigma, rng)
    return _chroma_noise(image, sigma, rng)


def _line_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """Each line is a little brighter or darker, over its length or in parts."""
    height, width = image.shape[:2]
    parts = int(rng.choice([1, 1, 3, 8]))
    noise = sigma * rng.standard_normal((height, parts), dtype=np.float32)
    stretched = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:
        stretched = np.asarray(stretched).T[:height, :width] if height == width else stretched
    return white_noise(image + np.asarray(stretched)[..., None], 0.5 * sigma, rng)


def _chroma_noise(image: NDArray[Any], sigma: float, rng: Generator) -> NDArray[Any]:
    """Blotches of colour over a luma that has less noise."""
    noise = rng.standard_normal((*image.shape[:2], 3), dtype=np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.8, 4)))
    noise -= (noise @ _LUMA)[..., None]
    noise *= sigma / max(float(noise.std()), 1e-6)
    return white_noise(image + noise, sigma * rng.uniform(0, 0.5), rng, colour=0.0)


def _analogue_video(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """Tape: bleeding chroma, limited luma, ringing, unsteady lines."""
    height, width = image.shape[:2]
    luma = (image @ _LUMA)[..., None]
    chroma = image - luma
    chroma = np.asarray(
        cv2.GaussianBlur(chroma, (0, 0), sigmaX=rng.uniform(0.8, 5), sigmaY=rng.uniform(0.2, 1.2))
    )
    if rng.random() < 0.6:
        chroma = np.roll(chroma, tuple(int(v) for v in rng.integers(-1, 4, 2)), (0, 1))
    if rng.random() < 0.6:
        blurred = np.asarray(cv2.GaussianBlur(luma, (0, 0), sigmaX=rng.uniform(0.5, 1.6), sigmaY=0.01))
        soft: NDArray[Any] = blurred[..., None]
        if rng.random() < 0.6:
            wide = cv2.GaussianBlur(soft, (0, 0), sigmaX=rng.uniform(1.5, 3), sigmaY=0.01)
            soft = np.asarray(soft + rng.uniform(0.3, 1.8) * (soft - np.asarray(wide)[..., None]), np.float32)
        luma = soft
    image = luma + chroma
    if rng.random() < 0.35:
        shift = np.asarray(rng.uniform(0.1, 0.7) * rng.standard_normal((height, 1)), np.float32)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        image = cv2.remap(
            np.ascontiguousarray(image, np.float32), x + shift, y, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
    if rng.random() < 0.25:
        return tape(np.asarray(image, np.float32), rng)
    return correlated_noise(np.asarray(image, np.float32), rng.uniform(0, 14) / 255, rng)


def _sharpening(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """An unsharp mask with its halos."""
    soft = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 2.2)))
    return np.asarray(image + rng.uniform(0.3, 1.8) * (image - soft))


def _film_wear(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    return wear(image, rng)


def _interlacing(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    return comb(image, rng.uniform(0.002, 0.02), rng)


def _dropouts(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """Parts of lines that the recorder lost, and single wrong pixels."""
    height, width = image.shape[:2]
    image = image.copy()
    for _ in range(int(rng.integers(1, 7))):
        row, first = int(rng.integers(0, height)), int(rng.integers(0, width))
        last = first + int(rng.exponential(0.2 * width)) + 1
        image[row, first:last] = rng.random() if rng.random() < 0.6 else image[row - 1, first:last]
    if rng.random() < 0.4:
        wrong = rng.random((height, width)) < rng.uniform(0.0005, 0.01)
        image[wrong] = rng.random((int(wrong.sum()), 1)).round()
    return image


def _codec(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """One of the codecs at one of its rates, on a still or a moving picture."""
    picture = np.asarray(image, np.float32)
    kind = rng.random()
    if kind < 0.35 or min(image.shape[:2]) < 32:
        return jpeg(picture, int(rng.integers(12, 95)))
    if kind < 0.6:
        return h264_still(picture, crf=int(rng.integers(18, 42)))
    return moving_codec(picture, rng)


def moving_codec(image: FloatArray, rng: Generator) -> FloatArray:
    """The last of a few frames in which the picture moves, after a video codec at a limited rate."""
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


def disc(radius: float) -> FloatArray:
    """The kernel of a lens out of focus, of sum one."""
    r = int(np.ceil(radius))
    y, x = np.mgrid[-r : r + 1, -r : r + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def streak(length: float, angle: float) -> FloatArray:
    """The kernel of a straight motion, of sum one."""
    r = int(np.ceil(length / 2))
    y, x = np.mgrid[-r : r + 1, -r : r + 1]
    along, across = np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y
    kernel = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def _quantise(image: NDArray[Any]) -> FloatArray:
    return (np.round(np.clip(image, 0, 1) * 255) / 255).astype(np.float32)
