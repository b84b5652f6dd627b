"""YuNet, as OpenCV runs it: faces and their five points in copies of a frame, upright or at any roll angle.

The network sees faces from some 12 to 600 pixels, up to about 45 degrees from upright. Copies turned by
quarters show it the others. What it proposes, the landmark network verifies and places more steadily.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import downscaled_rgb
from vidrestore.detection.detector import Search
from vidrestore.errors import WeightsError
from vidrestore.faces.face_square import face_box
from vidrestore.types import Detection, Frame
from vidrestore.weights import embedded_path

QUICK_SIDE = 320
"""Longer side [px] of the copy that a quick search looks at."""
LEAST_SIDE = 640
"""Shortest longer side [px] of the copy for the other searches, in frames that are larger."""
SMALLEST_BOX = 16.0
"""Side [px] that the smallest face to be found has in that copy; of smaller ones every second is missed."""
_ALL = 1_000_000
"""FaceDetectorYN keeps so many candidates at most: all there are."""


class YuNet:
    """OpenCV's FaceDetectorYN on pictures of any size."""

    def __init__(self, weights: Path | None = None, *, min_face: int = 24, least: float = 0.3) -> None:
        """Load the network.

        Args:
            weights: an ONNX file; None: the one inside the package.
            min_face: side [frame px] of the smallest face's box that is searched for.
            least: score, 0..1, from which a place counts as a face.

        Raises:
            WeightsError: OpenCV cannot read the file.
        """
        path = weights or embedded_path("yunet.onnx")
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(path), "", (QUICK_SIDE, QUICK_SIDE), least, 0.3, _ALL
            )
        except cv2.error as error:
            raise WeightsError(f"{path} holds no weights of YuNet that OpenCV can read") from error
        self._scale = min(SMALLEST_BOX / min_face, 1.0)

    def search(self, frame: Frame, search: Search) -> list[Detection]:
        """Faces of a frame [frame px]; one that lies between two directions may come several times."""
        longer = max(frame.width, frame.height)
        side = QUICK_SIDE if search == "quick" else max(round(self._scale * longer), LEAST_SIDE)
        rgb, scale = downscaled_rgb(frame, side)
        turns = range(4) if search == "thorough" else range(1)
        return [_scaled(face, scale) for turn in turns for face in self.find(rgb, turn)]

    def find(self, rgb: NDArray[np.uint8], turn: int = 0) -> list[Detection]:
        """Faces of a picture (h, w, 3), seen as `turn` quarters counter-clockwise would show it."""
        height, width = rgb.shape[:2]
        picture = np.ascontiguousarray(np.rot90(rgb[..., ::-1], turn))
        self._network.setInputSize((picture.shape[1], picture.shape[0]))
        rows: NDArray[Any] | None = self._network.detect(picture)[1]
        if rows is None:
            return []
        points = rows[:, 4:14].reshape(-1, 5, 2)
        for _ in range(turn):  # what a quarter counter-clockwise did, undone
            points = np.stack([-points[..., 1], points[..., 0]], axis=2)
        points = points + np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)][turn])
        return [
            Detection(box=face_box(p), landmarks=p, score=float(row[14]))
            for p, row in zip(points.astype(np.float32), rows, strict=True)
        ]


def _scaled(face: Detection, scale: float) -> Detection:
    """The middle of a copy's first pixel is not that of the frame's."""
    points = ((face.landmarks + 0.5) / scale - 0.5).astype(np.float32)
    return replace(face, box=face_box(points), landmarks=points)
