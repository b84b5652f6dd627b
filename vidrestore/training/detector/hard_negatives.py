"""Places without a face that a first step takes for one: what the landmark network has to refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.detection.landmark_net import CROP_SIDE
from vidrestore.detection.proposals import Proposals
from vidrestore.training.data.footage_degradation import degrade_as_film
from vidrestore.training.data.portraits import Portrait
from vidrestore.training.data.scenes import dead_leaves
from vidrestore.types import ColourTags, FloatArray, Frame, PixelFormat

Picture = NDArray[np.uint8]
AROUND = 1.75
"""Side of a stored place over that of its square, so that it can be rotated and moved."""
SIDE = round(AROUND * CROP_SIDE)
_SEARCHED = 320
"""Side [px] of the pictures that are searched."""
_EACH = 6
"""Places that one picture gives at most, so that no odd one outweighs the others."""
_RGB = PixelFormat(name="gbrp", family="rgb", bit_depth=8)


def mine_hard_negatives(
    portraits: Sequence[Portrait],
    pictures: Sequence[Picture],
    proposals: Sequence[Proposals],
    rng: np.random.Generator,
    count: int,
) -> list[Picture]:
    """`count` places (SIDE, SIDE, 3) RGB, each with its square of `CROP_SIDE` pixels in the middle.

    They are found in drawn scenes and in `pictures`, none with a face, some of them worn as film is.
    """
    return list(islice(_places(portraits, pictures, proposals, rng), count))


def _places(
    portraits: Sequence[Portrait],
    pictures: Sequence[Picture],
    proposals: Sequence[Proposals],
    rng: np.random.Generator,
) -> Iterator[Picture]:
    while True:
        picture = _without_face(portraits, pictures, rng)
        if rng.random() < 0.7:
            worn = degrade_as_film((picture / 255).astype(np.float32), rng)[1]
            picture = np.round(worn * 255).astype(np.uint8)
        frame = _frame(picture)
        squares = [square for first in proposals for square in first.propose(frame, quick=False)]
        for at in rng.permutation(len(squares))[:_EACH]:
            yield _cut(picture, squares[at])


def _without_face(
    portraits: Sequence[Portrait], pictures: Sequence[Picture], rng: np.random.Generator
) -> Picture:
    if not pictures or rng.random() < 0.5:
        return dead_leaves(_SEARCHED, rng, portraits, pictures)
    whole = pictures[int(rng.integers(len(pictures)))]
    turned = np.rot90(whole, int(rng.integers(4)))
    turned = turned[:, ::-1] if rng.random() < 0.5 else turned
    side = int(min(turned.shape[0], turned.shape[1]) * rng.uniform(0.4, 1))
    y, x = (int(rng.integers(0, length - side + 1)) for length in turned.shape[:2])
    part = np.ascontiguousarray(turned[y : y + side, x : x + side])
    return np.asarray(cv2.resize(part, (_SEARCHED, _SEARCHED), interpolation=cv2.INTER_AREA), np.uint8)


def _cut(picture: Picture, square: FloatArray) -> Picture:
    x, y, side = (float(v) for v in square)
    scale = CROP_SIDE / side
    matrix = np.array([[scale, 0, (SIDE - 1) / 2 - scale * x], [0, scale, (SIDE - 1) / 2 - scale * y]])
    small: NDArray[Any] = picture
    if scale < 1:
        size = max(round(_SEARCHED * scale), 1)
        small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        matrix[:, :2] *= _SEARCHED / size
    return np.asarray(
        cv2.warpAffine(small, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def _frame(rgb: Picture) -> Frame:
    planes = tuple(np.ascontiguousarray(rgb[..., channel]) for channel in (1, 2, 0))
    full = ColourTags(matrix=0, full_range=True)
    return Frame(index=0, pts=0, duration=0, time_base=Fraction(1), planes=planes, format=_RGB, colour=full)
