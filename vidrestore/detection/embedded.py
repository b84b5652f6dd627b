"""The embedded detector: something proposes places, our landmark network verifies, places and follows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import downscaled_region
from vidrestore.detection.finder_net import are_distinct
from vidrestore.detection.landmark_net import (
    CROP_SIDE,
    crop_matrix,
    find_points,
    load_landmark_net,
    square_around,
    tilt,
)
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.detection.proposals import Proposals
from vidrestore.detection.weights_file import fuse_batchnorm
from vidrestore.runtime.worker_threads import SingleThreadWorker
from vidrestore.types import Detection, FloatArray, Frame
from vidrestore.weights import embedded_path

BOX_PER_SIDE = 0.72
"""Side of a face's box over the side of the network's crop: brow to chin."""


class EmbeddedDetector:
    """Verifies what is proposed, at the frame's own resolution."""

    def __init__(
        self,
        proposals: Proposals,
        weights: Path | None = None,
        *,
        find_score: float = 0.8,
        follow_score: float = 0.35,
    ) -> None:
        """`find_score`: how sure the network must be of a new face; `follow_score`: of one it knows.

        `weights`: of the landmark network; None: those inside the package. Raises WeightsError where they
        do not fit.
        """
        self._proposals = proposals
        self._network = fuse_batchnorm(load_landmark_net(weights or embedded_path("landmarks.safetensors")))
        self._find_score, self._follow_score = find_score, follow_score
        self._worker = SingleThreadWorker()

    def detect(
        self, frame: Frame, *, quick: bool = False, existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """All faces of the frame, best first, but those of `existing` that are as sure as a new one must be.

        `quick`: large ones, in a fraction of the time.
        """
        sure = [face for face in existing if face.score >= self._find_score]
        return self._worker.call(self._detect, frame, quick, sure)

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """Faces near their previous places."""
        return self._worker.call(self._follow, frame, previous)

    def _detect(self, frame: Frame, quick: bool, existing: Sequence[Detection]) -> tuple[Detection, ...]:
        existing_squares = [square_around(face.landmarks) for face in existing]
        proposed = self._proposals.propose(frame, quick=quick)
        squares = [
            square for square in proposed if all(are_distinct(square, other) for other in existing_squares)
        ]
        # The network's own answer gives a tighter crop than the proposal: look twice.
        first = self._verify(frame, squares, [0.0] * len(squares), self._find_score * 0.5)
        return suppress_duplicates(self._refine(frame, first, self._find_score))

    def _follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return suppress_duplicates(self._refine(frame, previous, self._follow_score))

    def _refine(self, frame: Frame, faces: Sequence[Detection], min_score: float) -> list[Detection]:
        """Faces near the given ones, whose points say where to look and how to turn the crop upright."""
        squares = [square_around(d.landmarks) for d in faces]
        return self._verify(frame, squares, [tilt(d.landmarks) for d in faces], min_score)

    def _verify(
        self, frame: Frame, squares: Sequence[FloatArray], angles: Sequence[float], min_score: float
    ) -> list[Detection]:
        """What the network finds in squares of the frame, in one batch, with a score of at least
        `min_score`."""
        matrices = [crop_matrix(square, angle) for square, angle in zip(squares, angles, strict=True)]
        crops = [_crop(frame, square, matrix) for square, matrix in zip(squares, matrices, strict=True)]
        scores, points = find_points(self._network, crops, matrices)
        return [
            _detection(p, float(score))
            for score, p in zip(scores, points, strict=True)
            if score >= min_score and _plausible(p)
        ]


def _crop(frame: Frame, square: FloatArray, matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(64, 64, 3) RGB; beyond the frame lies its mirror image, as in training."""
    x, y, side = (float(v) for v in square)
    cosine, sine = np.abs(matrix[0, :2]) * side / CROP_SIDE
    half = side / 2 * (cosine + sine)  # of the upright square around the tilted one
    x0, x1 = (int(np.clip(v, 0, frame.width)) for v in (x - half - 2, x + half + 3))
    y0, y1 = (int(np.clip(v, 0, frame.height)) for v in (y - half - 2, y + half + 3))
    if x1 - x0 < 2 or y1 - y0 < 2:  # the square lies off the frame
        return np.zeros((CROP_SIDE, CROP_SIDE, 3), np.uint8)
    small, to_frame = downscaled_region(frame, (x0, y0, x1, y1), max(side / CROP_SIDE, 1.0))
    whole = matrix @ to_frame
    return cv2.warpAffine(
        small, whole, (CROP_SIDE, CROP_SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.uint8)


def _detection(points: FloatArray, score: float) -> Detection:
    x, y, side = square_around(points)
    half = side * BOX_PER_SIDE / 2
    box = np.array([x - half, y - half, x + half, y + half], np.float32)
    return Detection(box=box, landmarks=points, score=score)


def _plausible(points: FloatArray) -> bool:
    """Eyes left and right, and the mouth away from them: no collapsed or turned-over answer."""
    eyes, mouth = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    across = float(np.hypot(*eyes))
    down = float(eyes[0] * mouth[1] - eyes[1] * mouth[0]) / max(across, 1e-3)
    return across > 2 and down > 0.4 * across
