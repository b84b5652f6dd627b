"""False detections of YuNet, which the landmark network must learn to reject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.detection.landmark_net import CROP_SIDE, LandmarkNet, crop_matrix, find_points
from vidrestore.detection.yunet import YuNet
from vidrestore.faces.face_square import square_around, tilt
from vidrestore.training.data.footage_degradation import degrade_as_film
from vidrestore.training.data.portraits import Portrait
from vidrestore.training.data.scenes import cover_face, dead_leaves
from vidrestore.types import FloatArray

Picture = NDArray[np.uint8]
AROUND = 1.75
"""Side of a stored place divided by the side of its square, so that it can be rotated and moved."""
SIDE = round(AROUND * CROP_SIDE)
LEAST_SCORE = 0.15
"""Smallest score of YuNet for a collected place; lower than in detection, to find more places."""
HARD, EASY_KEPT = 0.05, 0.1
"""A place with a higher score of the earlier network is hard; the share of the other places to keep."""
_SEARCHED = 320
"""Side of the searched pictures [px]."""
_EACH = 6
"""Largest number of places from one picture, so that no picture dominates."""


def mine_hard_negatives(
    portraits: Sequence[Portrait],
    pictures: Sequence[Picture],
    yunet: YuNet,
    rng: np.random.Generator,
    count: int,
    network: LandmarkNet | None = None,
) -> list[Picture]:
    """Places without a face that YuNet takes for a face, each rotated upright as YuNet sees it.

    They are found in random scenes, in heads with covered faces and in `pictures`, some with film wear.

    Args:
        portraits: Faces, for scenes and heads.
        pictures: Pictures without faces.
        yunet: The detector.
        rng: The source of random numbers.
        count: Number of places.
        network: An earlier landmark network; most places that it already rejects are left out. None: none.

    Returns:
        `count` pictures (SIDE, SIDE, 3) RGB, with the square of `CROP_SIDE` pixels in the middle.
    """
    places = _places(portraits, pictures, yunet, rng)
    if network is not None:
        places = (place for place in places if rng.random() < EASY_KEPT or _face_score(network, place) > HARD)
    return list(islice(places, count))


def _places(
    portraits: Sequence[Portrait], pictures: Sequence[Picture], yunet: YuNet, rng: np.random.Generator
) -> Iterator[Picture]:
    while True:
        picture = _without_face(portraits, pictures, rng)
        if rng.random() < 0.4:
            worn = degrade_as_film((picture / 255).astype(np.float32), rng)[1]
            picture = np.round(worn * 255).astype(np.uint8)
        found = yunet.find(picture, int(rng.integers(4)))
        for index in rng.permutation(len(found))[:_EACH]:
            yield _cut(picture, found[index].landmarks)


def _face_score(network: LandmarkNet, place: Picture) -> float:
    margin = (SIDE - CROP_SIDE) // 2
    crop = np.ascontiguousarray(place[margin : margin + CROP_SIDE, margin : margin + CROP_SIDE])
    return float(find_points(network, [crop], [np.eye(2, 3)])[0][0])


def _without_face(
    portraits: Sequence[Portrait], pictures: Sequence[Picture], rng: np.random.Generator
) -> Picture:
    kind = rng.random()
    if kind < 0.35:
        portrait = portraits[int(rng.integers(len(portraits)))]
        return cover_face(_SEARCHED, portrait, rng, portraits, pictures)
    if not pictures or kind < 0.7:
        return dead_leaves(_SEARCHED, rng, portraits, pictures)
    whole = pictures[int(rng.integers(len(pictures)))]
    turned = np.rot90(whole, int(rng.integers(4)))
    turned = turned[:, ::-1] if rng.random() < 0.5 else turned
    side = int(min(turned.shape[0], turned.shape[1]) * rng.uniform(0.4, 1))
    y, x = (int(rng.integers(0, length - side + 1)) for length in turned.shape[:2])
    part = np.ascontiguousarray(turned[y : y + side, x : x + side])
    return np.asarray(cv2.resize(part, (_SEARCHED, _SEARCHED), interpolation=cv2.INTER_AREA), np.uint8)


def _cut(picture: Picture, landmarks: FloatArray) -> Picture:
    matrix = crop_matrix(square_around(landmarks), tilt(landmarks))
    matrix[:, 2] += (SIDE - CROP_SIDE) / 2
    small = picture
    while np.hypot(matrix[0, 0], matrix[0, 1]) < 0.6:
        small = np.asarray(cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = np.column_stack([2 * matrix[:, :2], matrix[:, 2] + 0.5 * matrix[:, :2].sum(1)])
    return np.asarray(
        cv2.warpAffine(small, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )
