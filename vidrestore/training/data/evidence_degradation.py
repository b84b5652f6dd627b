"""Degradation for the evidence network: broad rather than realistic.

A network fails on damage that it was not trained on. So each kind of damage occurs alone and in mixtures of
random order: blur, scaling, noise, analogue video, film, codecs on moving pictures, sharpening. Some pictures
stay clean or nearly clean, because the network must learn not to change them.

All pictures are (H, W, 3) RGB float32 in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.training.data.blur import blur_slightly, blur_strongly
from vidrestore.training.data.compression import compress_moving_picture, compress_with_any_codec
from vidrestore.training.data.degradation import jpeg
from vidrestore.training.data.noise import (
    add_correlated_noise,
    add_random_noise,
    add_signal_noise,
    add_white_noise,
)
from vidrestore.training.data.recording_damage import (
    add_dropouts,
    degrade_as_analogue_video,
    interlace,
    sharpen,
    wear_film,
)
from vidrestore.types import FloatArray
from vidrestore.video.h264_round_trip import h264_still

Generator = np.random.Generator
Operation = Callable[[NDArray[Any], Generator], NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of the kinds of damage; the rest of the pictures have any damage, of any strength."""

    clean: float
    nearly_clean: float
    """With hardly any damage."""
    moderate: float
    small: float
    """Small in their frame."""
    analogue: float
    """From analogue tape, with no other damage but sometimes a codec's."""


CROP_SHARES = Shares(clean=0.1, nearly_clean=0.14, moderate=0.22, small=0.16, analogue=0.12)
"""Of crops at full size."""
SOFT_SHARES = Shares(clean=0.03, nearly_clean=0.05, moderate=0.12, small=0.4, analogue=0.04)
"""Of faces at half size. Their estimate matters most where no fine detail is shown, so most are damaged."""
BLURRED = 0.6
"""Share of the other pictures that are blurred by a lens or by motion."""
FULL_SIZE = 0.45
"""Share of the other pictures that keep their resolution."""
LARGEST_REDUCTION = 9.0
"""Largest factor by which a side is divided."""
SMALLEST_SIDE = 14
"""Pixels of a side after reduction, at least."""
_SHRINKING = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_ENLARGING = (cv2.INTER_CUBIC, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_LANCZOS4, cv2.INTER_NEAREST)
_LUMA = np.array(BT601_LUMA, np.float32)


def degrade_for_evidence(
    clean: FloatArray, rng: Generator, shares: Shares = CROP_SHARES
) -> tuple[FloatArray, FloatArray]:
    """The target and its degraded copy, of the same size, in steps of 1/255.

    The target has the tone of the degraded picture (grey, faded or clipped): the network learns to restore
    pictures, not to change their colours.

    Args:
        clean: (H, W, 3) RGB in 0..1.
        rng: The source of random numbers.
        shares: How often each kind of damage occurs.

    Returns:
        Two pictures like `clean`.
    """
    target = _quantise(_tone(clean, rng))
    kind = rng.random()
    for share, operation in (
        (shares.clean, None),
        (shares.nearly_clean, _nearly_clean),
        (shares.moderate, _moderate),
        (shares.small, _small),
        (shares.analogue, _analogue),
    ):
        if kind < share:
            return target, _quantise(operation(target, rng)) if operation is not None else target
        kind -= share
    return target, _quantise(_any_damage(target, rng))


def _any_damage(clean: FloatArray, rng: Generator) -> NDArray[Any]:
    """A copy with any kinds of damage, of any strength."""
    image: NDArray[Any] = clean
    if rng.random() < BLURRED:
        image = blur_strongly(image, rng)
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
            image = np.clip(compress_with_any_codec(np.asarray(image, np.float32), rng), 0, 1)
        if rng.random() < 0.15:
            image = add_white_noise(image, rng.uniform(0.5, 8) / 255, rng)
    return image


def _choose_operations(rng: Generator) -> list[Operation]:
    """The operations on a picture at its reduced resolution, in order."""
    chosen: list[Operation] = []
    shares: list[tuple[float, Operation]] = [
        (0.6, add_random_noise),
        (0.12, add_random_noise),
        (0.16, degrade_as_analogue_video),
        (0.12, sharpen),
        (0.07, wear_film),
        (0.03, interlace),
        (0.03, add_dropouts),
    ]
    chosen = [operation for share, operation in shares if rng.random() < share]
    order = rng.permutation(len(chosen))
    chosen = [chosen[i] for i in order]
    if rng.random() < 0.55:
        chosen.append(compress_with_any_codec)
        if rng.random() < 0.2:
            chosen.insert(int(rng.integers(0, len(chosen))), compress_with_any_codec)
    return chosen


def _nearly_clean(image: FloatArray, rng: Generator) -> NDArray[Any]:
    """A copy with one or two kinds of hardly visible damage."""
    changed: NDArray[Any] = image
    kind = rng.random()
    if kind < 0.35:
        changed = add_white_noise(changed, rng.uniform(0.3, 3) / 255, rng)
    elif kind < 0.5:
        changed = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.2, 0.7))
    elif kind < 0.6:
        changed = add_correlated_noise(changed, rng.uniform(0.3, 3) / 255, rng)
    if kind > 0.5 or rng.random() < 0.2:
        clipped = np.clip(changed, 0, 1).astype(np.float32)
        if rng.random() < 0.5:
            changed = jpeg(clipped, int(rng.integers(82, 100)))
        else:
            changed = h264_still(clipped, crf=int(rng.integers(8, 21)))
    return changed


def _moderate(image: FloatArray, rng: Generator) -> NDArray[Any]:
    """A copy as most footage is: slightly blurred, with a little noise, after a codec at a usual rate."""
    changed: NDArray[Any] = image
    if rng.random() < 0.85:
        changed = blur_slightly(changed, rng)
    height, width = image.shape[:2]
    is_reduced = rng.random() < 0.3
    if is_reduced:
        size = tuple(max(round(side / rng.uniform(1.0, 1.9)), SMALLEST_SIDE) for side in (width, height))
        changed = cv2.resize(changed, size, interpolation=int(rng.choice(_SHRINKING)))
    if rng.random() < 0.8:
        sigma = float(np.exp(rng.uniform(np.log(0.8), np.log(9)))) / 255
        add_noise = (add_white_noise, add_white_noise, add_signal_noise, add_correlated_noise)[
            int(rng.integers(4))
        ]
        changed = add_noise(changed, sigma, rng)
    if rng.random() < 0.12:
        changed = sharpen(changed, rng)
    picture = np.clip(changed, 0, 1).astype(np.float32)
    kind = rng.random()
    if kind < 0.45:
        picture = jpeg(picture, int(rng.integers(30, 93)))
    elif kind < 0.6:
        picture = h264_still(picture, crf=int(rng.integers(16, 32)))
    elif kind < 0.75:
        picture = compress_moving_picture(picture, rng)
    if not is_reduced:
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=int(rng.choice(_ENLARGING[:4]))))


def _small(image: FloatArray, rng: Generator) -> NDArray[Any]:
    """A copy as a camera shows a distant face: as sharp as its few pixels, with noise and a codec."""
    height, width = image.shape[:2]
    factor = float(np.exp(rng.uniform(np.log(1.8), np.log(LARGEST_REDUCTION))))
    changed: NDArray[Any] = image
    if rng.random() < 0.7:
        changed = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.15, 0.9) * factor)
    changed = _divide_size(changed, factor, cv2.INTER_AREA)
    if rng.random() < 0.75:
        sigma = float(np.exp(rng.uniform(np.log(0.7), np.log(8)))) / 255
        add_noise = (add_white_noise, add_white_noise, add_signal_noise)[int(rng.integers(3))]
        changed = add_noise(changed, sigma, rng)
    picture = np.clip(changed, 0, 1).astype(np.float32)
    if rng.random() < 0.8:
        picture = compress_with_any_codec(picture, rng)
    kernel = int(rng.choice(_ENLARGING[:4]))
    return np.asarray(cv2.resize(_quantise(picture), (width, height), interpolation=kernel)).clip(0, 1)


def _analogue(image: FloatArray, rng: Generator) -> NDArray[Any]:
    """A copy as from tape, sometimes after a codec."""
    picture = np.clip(degrade_as_analogue_video(image, rng), 0, 1).astype(np.float32)
    return compress_with_any_codec(picture, rng) if rng.random() < 0.25 else picture


def _tone(clean: FloatArray, rng: Generator) -> NDArray[Any]:
    """A copy with the light, contrast and colour of film, video or phones."""
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


def _reduce(image: NDArray[Any], rng: Generator) -> NDArray[Any]:
    """A smaller copy."""
    factor = float(np.exp(rng.uniform(np.log(1.1), np.log(LARGEST_REDUCTION))))
    return _divide_size(image, factor, int(rng.choice(_SHRINKING))).clip(0, 1)


def _divide_size(image: NDArray[Any], factor: float, kernel: int) -> NDArray[Any]:
    """A copy with sides divided by `factor`, of `SMALLEST_SIDE` pixels at least."""
    height, width = (max(round(side / factor), SMALLEST_SIDE) for side in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=kernel))


def _quantise(image: NDArray[Any]) -> FloatArray:
    return (np.round(np.clip(image, 0, 1) * 255) / 255).astype(np.float32)
