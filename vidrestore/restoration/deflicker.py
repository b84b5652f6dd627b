"""Stabilises the brightness of faces over time: AlignedFace -> AlignedFace.

In old film, lamps, shutters and uneven development change the exposure from frame to frame. Each face gets
the brightness that its track has around that time. Fades are slower and remain.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.restoration.neighbours import FrameValues, with_track_neighbours
from vidrestore.types import AlignedFace, FloatArray, FrameFaces

LARGEST_GAIN = 1.5
_DARKEST = 4 / 255
_LUMA = np.array(BT601_LUMA, np.float32)


def deflicker(
    items: Iterable[FrameFaces[AlignedFace]], *, radius: int = 12
) -> Iterator[FrameFaces[AlignedFace]]:
    """The frames in the same order, `radius` frames late, with the `gain` of each face set."""
    measured = (
        FrameValues(
            frame=item,
            scene=item.scene,
            values=[(face.track_id, _log_brightness(face.image)) for face in item.faces],
        )
        for item in items
    )
    for own, neighbours in with_track_neighbours(measured, radius):
        item = own.frame
        faces = tuple(
            replace(face, gain=_gain(value, neighbour_values, radius))
            for face, (_, value), neighbour_values in zip(item.faces, own.values, neighbours, strict=True)
        )
        yield FrameFaces(frame=item.frame, faces=faces, scene=item.scene)


def _gain(own_value: float, neighbour_values: list[tuple[int, float]], radius: int) -> float:
    """The change from `own_value` to the straight line through the brightness of the neighbouring frames."""
    if len(neighbour_values) < 4:
        return 1.0
    offsets = np.array([0, *(a for a, _ in neighbour_values)], np.float64)
    values = np.array([own_value, *(v for _, v in neighbour_values)])
    weights = np.exp(-0.5 * (offsets / (radius / 2)) ** 2)
    # A line, not a mean: at the ends of a scene all neighbours are on one side, and there may be a fade.
    line = np.polynomial.polynomial.polyfit(offsets, values, 1, w=np.sqrt(weights))
    return float(np.clip(math.exp(line[0] - own_value), 1 / LARGEST_GAIN, LARGEST_GAIN))


def _log_brightness(face: FloatArray) -> float:
    """The log brightness of the middle of an aligned face (S, S, 3), without background."""
    size = face.shape[0]
    middle = face[round(0.35 * size) : round(0.85 * size), round(0.3 * size) : round(0.7 * size)]
    return math.log(max(float((middle @ _LUMA).mean()), _DARKEST))
