"""The embedded detector: YuNet proposes faces; the landmark network verifies, locates and follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import downscaled_region
from vidrestore.detection.detector import Search
from vidrestore.detection.landmark_net import CROP_SIDE, crop_matrix, find_points, load_landmark_net
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.detection.proposals_ahead import ProposalsAhead
from vidrestore.detection.weights_file import fuse_batchnorm
from vidrestore.detection.yunet import YuNet
from vidrestore.faces.boxes import overlap
from vidrestore.faces.face_square import face_box, face_size, square_around, tilt
from vidrestore.runtime.worker_threads import SingleThreadWorker
from vidrestore.types import Detection, FloatArray, Frame
from vidrestore.weights import embedded_path

FIRST_LOOK_SCORE = 0.4
"""Minimum score of a proposal, 0..1, for a second look at the network's own points."""

ROLLED, ROLLED_SCORE = 60.0, 0.997
"""Roll angle [degrees] above which new faces are rare, and their minimum score, 0..1."""
ROLLED_PROPOSAL = 0.6
"""Minimum score, 0..1, of YuNet for a proposal that is rolled, or is to be tried at other roll angles."""


class EmbeddedDetector:
    """Verifies YuNet's proposals at the frame's full resolution. A `PreparingDetector`, if given `ahead`."""

    def __init__(
        self,
        yunet: YuNet,
        weights: Path | None = None,
        *,
        find_score: float = 0.98,
        follow_score: float = 0.35,
        ahead: ProposalsAhead | None = None,
    ) -> None:
        """Load the landmark network.

        Args:
            yunet: Proposes faces.
            weights: File of the landmark network's weights; None: the embedded ones.
            find_score: Minimum score of a new face, 0..1.
            follow_score: Minimum score of a face that the previous frame had.
            ahead: Computes YuNet's proposals of later frames in other threads; None: nothing is prepared.

        Raises:
            WeightsError: The weights do not fit.
        """
        self._yunet = yunet
        self._network = fuse_batchnorm(load_landmark_net(weights or embedded_path("landmarks.safetensors")))
        self._find_score, self._follow_score = find_score, follow_score
        self._worker = SingleThreadWorker()
        self._ahead = ahead
        self.frames_ahead = 0 if ahead is None else ahead.frames

    def prepare(self, frames: Sequence[tuple[Frame, Search | None]]) -> None:
        """Starts YuNet's searches of the frames."""
        assert self._ahead is not None
        self._ahead.start(frames)

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """The faces of the frame, best first, without `existing` ones whose score is that of a new face."""
        sure = [face for face in existing if face.score >= self._find_score]
        return self._worker.call(self._detect, frame, search, sure)

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """Faces near their previous positions."""
        return self._worker.call(self._follow, frame, previous)

    def _detect(self, frame: Frame, search: Search, existing: Sequence[Detection]) -> tuple[Detection, ...]:
        proposals = None if self._ahead is None else self._ahead.take(frame, search)
        if proposals is None:
            proposals = self._yunet.search(frame, search)
        seen = [face for face in proposals if _is_likely(face)]
        proposed = _distinct(seen, existing)
        found = self._look_twice(frame, proposed)
        if search == "quick":
            return suppress_duplicates(found)
        # For faces on a side or upside down, YuNet often has the position right, but not the roll angle.
        refused = [
            face
            for face in proposed
            if face.score >= ROLLED_PROPOSAL and all(overlap(face.box, other.box) < 0.3 for other in found)
        ]
        found += self._look_twice(
            frame, [_rolled(face, angle) for face in refused for angle in (90, 180, 270)]
        )
        return suppress_duplicates(found)

    def _follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return suppress_duplicates(self._refine(frame, previous, self._follow_score))

    def _look_twice(self, frame: Frame, proposed: Sequence[Detection]) -> list[Detection]:
        """The proposals that the network confirms, at a second look with crops from its own points."""
        first = self._refine(frame, proposed, FIRST_LOOK_SCORE)
        second = self._refine(frame, first, self._find_score)
        return [face for face in second if face.score >= ROLLED_SCORE or abs(tilt(face.landmarks)) < ROLLED]

    def _refine(self, frame: Frame, faces: Sequence[Detection], min_score: float) -> list[Detection]:
        """Faces near the given ones, whose points define position and rotation of the crops."""
        squares = [square_around(d.landmarks) for d in faces]
        return self._verify(frame, squares, [tilt(d.landmarks) for d in faces], min_score)

    def _verify(
        self, frame: Frame, squares: Sequence[FloatArray], angles: Sequence[float], min_score: float
    ) -> list[Detection]:
        """The faces that the network finds in squares of the frame, in one batch, from `min_score` on."""
        matrices = [crop_matrix(square, angle) for square, angle in zip(squares, angles, strict=True)]
        crops = [_crop(frame, square, matrix) for square, matrix in zip(squares, matrices, strict=True)]
        scores, points = find_points(self._network, crops, matrices)
        return [
            Detection(box=face_box(p), landmarks=p, score=float(score))
            for score, p in zip(scores, points, strict=True)
            if score >= min_score and _plausible(p)
        ]


def _crop(frame: Frame, square: FloatArray, matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(64, 64, 3) RGB; outside the frame its mirror image, as in training."""
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


def _distinct(proposed: Sequence[Detection], existing: Sequence[Detection]) -> list[Detection]:
    """Proposals, best first, away from known faces; several at one position if their roll angles differ."""
    distinct: list[Detection] = []
    for face in sorted(proposed, key=lambda d: -d.score):
        known = any(_is_same(face, other) for other in distinct)
        if not known and all(overlap(face.box, other.box) < 0.3 for other in existing):
            distinct.append(face)
    return distinct


def _is_likely(face: Detection) -> bool:
    """Whether a proposal is worth a look: rolled faces are rare, and patterns that resemble them are not."""
    return face.score >= ROLLED_PROPOSAL or abs(tilt(face.landmarks)) < ROLLED


def _rolled(face: Detection, angle: float) -> Detection:
    """The same position for a face rotated by `angle` degrees more."""
    x, y, _ = (float(v) for v in square_around(face.landmarks))
    turn = cv2.getRotationMatrix2D((x, y), -angle, 1.0)
    return replace(face, landmarks=(face.landmarks @ turn[:, :2].T + turn[:, 2]).astype(np.float32))


def _is_same(face: Detection, other: Detection) -> bool:
    turned = abs((tilt(face.landmarks) - tilt(other.landmarks) + 180) % 360 - 180)
    return overlap(face.box, other.box) > 0.3 and turned < 30


def _plausible(points: FloatArray) -> bool:
    """Whether the eyes are left and right and the mouth is away from them: the points are not collapsed.

    In profile the eyes are so close together that their order has no meaning.
    """
    eyes, mouth = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    across, size = float(np.hypot(*eyes)), face_size(points)
    if across < 0.25 * size:
        return size > 3
    return size > 3 and float(eyes[0] * mouth[1] - eyes[1] * mouth[0]) > 0.4 * across**2
