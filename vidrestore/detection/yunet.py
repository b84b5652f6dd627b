"""YuNet in OpenCV: finds faces and their five points in copies of a frame, upright or at any roll angle.

The network finds faces of about 12 to 600 pixels, up to about 45 degrees from upright. Copies rotated by
multiples of 90 degrees show the others. The landmark network verifies its proposals and locates their points
more precisely.
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
from vidrestore.settings import DEFAULT_MIN_FACE
from vidrestore.types import Detection, Frame
from vidrestore.weights import embedded_path

QUICK_SIDE = 320
"""Longer side [px] of the copy for a quick search."""
LEAST_SIDE = 640
"""Smallest longer side [px] of the copy for the other searches, in larger frames."""
SMALLEST_BOX = 16.0
"""Side [px] of the smallest face in that copy; half of the smaller ones would be missed."""
PIECE_SIDE, PIECE_OVERLAP = 2560, 256
"""Side [px] of the largest picture for one call, which takes about 500 MiB. For larger copies, a smaller copy
and then pieces are searched. The overlap of pieces is larger than a face that the smaller copy misses."""
_FARTHEST = 8
"""Largest distance of a face's points from the picture's corner, in longer sides of the picture."""
_ALL = 1_000_000
"""Limit of candidates in FaceDetectorYN; large enough for all."""


class YuNet:
    """OpenCV's FaceDetectorYN for pictures of any size."""

    def __init__(
        self, weights: Path | None = None, *, min_face: int = DEFAULT_MIN_FACE, least: float = 0.3
    ) -> None:
        """Load the network.

        Args:
            weights: An ONNX file; None: the embedded one.
            min_face: Side of the box of the smallest face to find [frame px].
            least: Smallest score of a face, 0..1.

        Raises:
            WeightsError: OpenCV cannot read the file.
        """
        path = weights or embedded_path("yunet.onnx")
        try:
            self._network = cv2.FaceDetectorYN.create(
                str(path), "", (QUICK_SIDE, QUICK_SIDE), least, 0.3, _ALL
            )
        except cv2.error as error:
            raise WeightsError(f"{path} has no weights of YuNet that OpenCV can read") from error
        self._scale = min(SMALLEST_BOX / min_face, 1.0)

    def search(self, frame: Frame, search: Search) -> list[Detection]:
        """The faces of a frame [frame px]. A face between two rotations may be returned several times."""
        longer = max(frame.width, frame.height)
        side = QUICK_SIDE if search == "quick" else max(round(self._scale * longer), LEAST_SIDE)
        rgb, scale = downscaled_rgb(frame, side)
        turns = range(4) if search == "thorough" else range(1)
        return [_scaled(face, scale) for turn in turns for face in self.find_in_pieces(rgb, turn)]

    def find_in_pieces(self, rgb: NDArray[np.uint8], turn: int = 0) -> list[Detection]:
        """The faces that `find` finds, with limited memory. A face may be returned several times."""
        height, width = rgb.shape[:2]
        scale = PIECE_SIDE / max(height, width)
        if scale >= 1:
            return self.find(rgb, turn)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        copy = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        found = [_scaled(face, scale) for face in self.find(copy, turn)]
        for y in _starts(height):
            for x in _starts(width):
                piece = rgb[y : y + PIECE_SIDE, x : x + PIECE_SIDE]
                found += [_moved(face, x, y) for face in self.find(piece, turn)]
        return found

    def find(self, rgb: NDArray[np.uint8], turn: int = 0) -> list[Detection]:
        """The faces of a picture (h, w, 3), found after rotation by `turn` quarters counter-clockwise."""
        height, width = rgb.shape[:2]
        picture = np.ascontiguousarray(np.rot90(rgb[..., ::-1], turn))
        self._network.setInputSize((picture.shape[1], picture.shape[0]))
        rows: NDArray[Any] | None = self._network.detect(picture)[1]
        if rows is None:
            return []
        points = rows[:, 4:14].reshape(-1, 5, 2)
        for _ in range(turn):  # the inverse of a quarter counter-clockwise
            points = np.stack([-points[..., 1], points[..., 0]], axis=2)
        points = points + np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)][turn])
        # Of noise the network may give sizes beyond all numbers.
        farthest = _FARTHEST * max(height, width)
        return [
            Detection(box=face_box(p), landmarks=p, score=float(row[14]))
            for p, row in zip(points.astype(np.float32), rows, strict=True)
            if np.abs(p).max() < farthest
        ]


def _starts(length: int) -> list[int]:
    """The starts of pieces that cover `length` pixels."""
    count = max(-(-(length - PIECE_OVERLAP) // (PIECE_SIDE - PIECE_OVERLAP)), 1)
    return [round(start) for start in np.linspace(0, max(length - PIECE_SIDE, 0), count)]


def _moved(face: Detection, x: int, y: int) -> Detection:
    points = face.landmarks + np.array([x, y], np.float32)
    return replace(face, box=face_box(points), landmarks=points)


def _scaled(face: Detection, scale: float) -> Detection:
    """The face in the frame's scale. Centres of pixels are at integer coordinates, in copy and frame."""
    points = ((face.landmarks + 0.5) / scale - 0.5).astype(np.float32)
    return replace(face, box=face_box(points), landmarks=points)
