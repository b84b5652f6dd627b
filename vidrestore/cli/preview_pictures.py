"""Frames of a preview as 8-bit RGB pictures: whole, and around the largest face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.faces.boxes import mean_side
from vidrestore.jobs.preview import Preview, Variant
from vidrestore.types import Frame

Picture = NDArray[np.uint8]
CELL_SIDE = 320
"""Side of the pictures in the grid [px]."""
_AROUND = 2.0
"""Side of a grid picture, in multiples of the face box's side."""


def whole_picture(frame: Frame) -> Picture:
    """(H, W, 3) the upright frame in SDR."""
    from vidrestore.colour.yuv_rgb import downscaled_rgb
    from vidrestore.faces.orientation import upright_frame

    upright = upright_frame(frame)
    return downscaled_rgb(upright, max(upright.width, upright.height))[0]


def face_square(preview: Preview) -> tuple[int, int, int, int] | None:
    """x0 y0 x1 y1 of a square around the largest face in the upright picture; None without faces."""
    from vidrestore.faces.orientation import upright_matrix

    if not preview.faces:
        return None
    face = max(preview.faces, key=lambda each: mean_side(each.box))
    matrix = upright_matrix(preview.before)
    x, y = matrix[:, :2] @ ((face.box[:2] + face.box[2:]) / 2) + matrix[:, 2]
    half = mean_side(face.box) * _AROUND / 2
    return round(x - half), round(y - half), round(x + half), round(y + half)


def cut_square(picture: Picture, square: tuple[int, int, int, int] | None) -> Picture:
    """(CELL_SIDE, CELL_SIDE, 3) the square, or the whole picture with black borders."""
    if square is None:
        height, width = picture.shape[:2]
        side = max(height, width)
        left, top = (width - side) // 2, (height - side) // 2
        square = (left, top, left + side, top + side)
    x0, y0, x1, _ = square
    side = max(x1 - x0, 1)
    scale = CELL_SIDE / side
    matrix = np.array([[scale, 0, (0.5 - x0) * scale - 0.5], [0, scale, (0.5 - y0) * scale - 0.5]])
    if scale < 1:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), np.uint8)
    flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(picture, matrix, (CELL_SIDE, CELL_SIDE), flags=flags), np.uint8)


def variant_label(variant: Variant) -> str:
    """The variant's settings in one line."""
    fidelity, grain = (v if v == "auto" else f"{v:g}" for v in (variant.fidelity, variant.grain))
    return f"fidelity {fidelity}, strength {variant.strength:g}, grain {grain}"


def time_label(preview: Preview) -> str:
    """The frame's time and number."""
    return f"{preview.at:g} s, frame {preview.index}"
