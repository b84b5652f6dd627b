"""The embedded detector: OpenCV's cascades propose, our landmark network verifies, places and follows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour import sdr_region, small_rgb
from vidrestore.detection.landmark_net import (
    CROP_SIDE,
    crop_matrix,
    find_points,
    load_landmark_net,
    square_around,
    tilt,
)
from vidrestore.detection.overlap import without_duplicates
from vidrestore.errors import UsageError
from vidrestore.types import Detection, FloatArray, Frame
from vidrestore.weights import embedded_path

BOX_PER_SIDE = 0.72
"""Side of a face's box over the side of the network's crop: brow to chin."""
_FRONTAL = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
_PROFILE = "haarcascade_profileface.xml"
_STEP = 1.2
"""From one size that is searched for to the next: the network corrects the box, so steps may be wide."""
# Cascades see faces turned by up to some 15 degrees.
_TILTS = (-25.0, 25.0)


class CascadeDetector:
    """Frontal and profile cascades on a small copy; the network decides at the frame's own resolution."""

    def __init__(
        self,
        weights: Path | None = None,
        *,
        max_side: int = 640,
        find_score: float = 0.8,
        follow_score: float = 0.35,
    ) -> None:
        """`find_score`: how sure the network must be of a new face; `follow_score`: of one it knows.

        `weights`: of the landmark network; None: those inside the package. Raises UsageError where OpenCV
        has no cascades, WeightsError where the weights do not fit.
        """
        self._network = load_landmark_net(weights or embedded_path("landmarks.safetensors"))
        self._max_side, self._find_score, self._follow_score = max_side, find_score, follow_score
        self._frontal = [_cascade(name) for name in _FRONTAL]
        self._profile = _cascade(_PROFILE)

    def detect(self, frame: Frame, *, quick: bool = False) -> tuple[Detection, ...]:
        """All faces of the frame, best first.

        `quick`: upright frontal ones of a 16th of the picture's longer side or more, in a tenth of the time.
        """
        rgb, scale = small_rgb(frame, self._max_side)
        squares = [square / scale for square in self._propose(rgb, quick)]
        # The network's own answer gives a tighter crop than the cascade's box: look twice.
        first = self._verify(frame, squares, self._find_score * 0.5)
        return without_duplicates(self._look_again(frame, first, self._find_score))

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """Faces near their previous places."""
        return without_duplicates(self._look_again(frame, previous, self._follow_score))

    def _propose(self, rgb: NDArray[np.uint8], quick: bool) -> list[FloatArray]:
        """Squares (centre x, centre y, side) in the picture where a face may be."""
        grey = cv2.equalizeHist(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
        half = np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        if quick:
            return [2 * _square(box) for box in _scan(self._frontal[0], half, 2)]
        upright = [_square(box) for cascade in self._frontal for box in _scan(cascade, grey, 2)]
        # On the whole copy the profile cascade alone takes longer than everything else.
        profiles = _scan(self._profile, half, 3)
        mirrored = _scan(self._profile, np.ascontiguousarray(half[:, ::-1]), 3)
        profiles += [(half.shape[1] - x - w, y, w, h) for x, y, w, h in mirrored]
        upright += [2 * _square(box) for box in profiles]
        return upright + [square for angle in _TILTS for square in self._propose_tilted(grey, angle)]

    def _propose_tilted(self, grey: NDArray[Any], angle: float) -> list[FloatArray]:
        """Squares where the first cascade sees a face in the half-size picture turned by `angle` degrees."""
        height, width = grey.shape[0] / 2, grey.shape[1] / 2
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0) @ np.diag([0.5, 0.5, 1.0])
        turned = cv2.warpAffine(grey, turn, (round(width), round(height)), flags=cv2.INTER_LINEAR)
        back = cv2.invertAffineTransform(turn)
        return [
            np.append(back @ [x + w / 2, y + 0.53 * h, 1.0], 2 * 1.3 * w).astype(np.float32)
            for x, y, w, h in _scan(self._frontal[0], turned, 2)
        ]

    def _look_again(self, frame: Frame, faces: Sequence[Detection], least: float) -> list[Detection]:
        """Faces near the given ones, whose points say where to look and how to turn the crop upright."""
        squares = [square_around(d.landmarks) for d in faces]
        return self._verify(frame, squares, least, [tilt(d.landmarks) for d in faces])

    def _verify(
        self, frame: Frame, squares: Sequence[FloatArray], least: float, angles: Sequence[float] | None = None
    ) -> list[Detection]:
        """What the network finds in squares of the frame, in one batch, with a score of at least `least`."""
        angles = angles or [0.0] * len(squares)
        matrices = [crop_matrix(square, angle) for square, angle in zip(squares, angles, strict=True)]
        crops = [_crop(frame, square, matrix) for square, matrix in zip(squares, matrices, strict=True)]
        scores, points = find_points(self._network, crops, matrices)
        return [
            _detection(p, float(score))
            for score, p in zip(scores, points, strict=True)
            if score >= least and _plausible(p)
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
    region = np.clip(sdr_region(frame, x0, y0, x1, y1) * 255 + 0.5, 0, 255).astype(np.uint8)
    shrink = max(side / CROP_SIDE, 1.0)
    size = (max(round((x1 - x0) / shrink), 1), max(round((y1 - y0) / shrink), 1))
    small = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    to_region = np.array([[(x1 - x0) / size[0], 0, x0], [0, (y1 - y0) / size[1], y0], [0, 0, 1]])
    to_region[:2, 2] += 0.5 * (to_region[[0, 1], [0, 1]] - 1)  # pixel centres, not corners
    whole = matrix @ to_region
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


def _square(box: tuple[float, float, float, float]) -> FloatArray:
    """Where the network looks for the face of a cascade's box."""
    x, y, width, height = box
    return np.array([x + width / 2, y + 0.53 * height, 1.3 * width], np.float32)


def _scan(
    cascade: cv2.CascadeClassifier, grey: NDArray[Any], neighbours: int
) -> list[tuple[int, int, int, int]]:
    boxes = cascade.detectMultiScale(grey, scaleFactor=_STEP, minNeighbors=neighbours, minSize=(20, 20))
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h in boxes]


def _cascade(name: str) -> cv2.CascadeClassifier:
    # OpenCV 5 lost the class, its contrib variant the files.
    file = Path(cv2.__file__).parent / "data" / name
    if not hasattr(cv2, "CascadeClassifier") or not file.is_file():
        raise UsageError(
            f"OpenCV {cv2.__version__} has no cascades: install one that has, pip install 'opencv-python<5', "
            "or choose --detector retinaface_mobile0.25"
        )
    return cv2.CascadeClassifier(str(file))
