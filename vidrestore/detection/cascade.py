"""OpenCV's cascades as the embedded detector's first step: slow, but they also know faces in profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import downscaled_rgb
from vidrestore.errors import UsageError
from vidrestore.types import FloatArray, Frame

_FRONTAL = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
_PROFILE = "haarcascade_profileface.xml"
_STEP = 1.2
"""From one size that is searched for to the next: the network corrects the box, so steps may be wide."""
# Cascades see faces turned by up to some 15 degrees.
_TILTS = (-25.0, 25.0)


class CascadeProposals:
    """Frontal and profile cascades on a small copy."""

    def __init__(self, *, max_side: int = 640) -> None:
        """Raises UsageError where OpenCV has no cascades."""
        self._max_side = max_side
        self._frontal = [_cascade(name) for name in _FRONTAL]
        self._profile = _cascade(_PROFILE)

    def propose(self, frame: Frame, *, quick: bool) -> list[FloatArray]:
        """Squares (3,) centre x, centre y, side [frame px].

        `quick`: upright frontal faces of a 16th of the picture's longer side or more, in a tenth of the time.
        """
        rgb, scale = downscaled_rgb(frame, self._max_side)
        return [square / scale for square in self._propose(rgb, quick)]

    def _propose(self, rgb: NDArray[np.uint8], quick: bool) -> list[FloatArray]:
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
            "or leave --detector out"
        )
    return cv2.CascadeClassifier(str(file))
