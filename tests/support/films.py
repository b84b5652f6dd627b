"""A short film for segments: faces in some of its frames, a cut, and every frame different."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.footage import Footage, face_pictures, make_footage


def film_pictures(count: int, faces: Sequence[range], cut: int | None = None) -> list[NDArray[np.uint8]]:
    """(128, 144, 3) RGB each: a face in the ranges, else a moving ramp; after `cut` all is mirrored."""
    result: list[NDArray[np.uint8]] = []
    original = face_pictures(6)
    for number in range(count):
        if any(number in part for part in faces):
            shift = number % 5
            picture = np.roll(original[number % 6], shift, axis=1)
        else:
            picture = _ramp(number)
        if cut is not None and number >= cut:
            picture = np.ascontiguousarray(picture[:, ::-1])
        result.append(np.ascontiguousarray(picture))
    return result


def make_film(path: Path, count: int, faces: Sequence[range], footage: Footage | None = None) -> Path:
    """The film in `footage`'s codec, lossless by default."""
    return make_footage(path, film_pictures(count, faces), footage)


def _ramp(number: int) -> NDArray[np.uint8]:
    down, across = np.mgrid[:128, :144]
    luma = (down // 2 + across + 3 * number) % 160 + 40
    luma[::16] = 30
    return np.repeat(luma[..., None], 3, axis=2).astype(np.uint8)
