"""Where a crop is in its frame, and crops that are warped back to there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.faces.alignment import (
    invert_affine,
    matrix_of_region,
    similarity_scale,
    transform_points,
)
from vidrestore.types import FloatArray, Frame

Region = tuple[int, int, int, int]
"""x0 y0 x1 y1, half-open; it starts on the chroma grid."""


@dataclass(frozen=True, slots=True)
class CropPlace:
    """The region of a frame in which a crop is visible."""

    region: Region
    matrix: NDArray[np.float64]
    """(2, 3) from the region's px to the crop's."""
    scale: float
    """Factor from the frame's px to the crop's."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the region [px]."""
        x0, y0, x1, y1 = self.region
        return x1 - x0, y1 - y0

    @property
    def rows(self) -> slice:
        """The region's rows in the frame."""
        return slice(self.region[1], self.region[3])

    @property
    def columns(self) -> slice:
        """The region's columns in the frame."""
        return slice(self.region[0], self.region[2])


def place_in_frame(mask: FloatArray, to_crop: NDArray[np.float64], frame: Frame) -> CropPlace | None:
    """Where the masked part of a crop is in the frame; None: it is outside.

    Args:
        mask: (S, S) in the crop.
        to_crop: (2, 3) from frame px to crop px.
        frame: The frame.
    """
    region = region_of(mask, to_crop, frame)
    if region is None:
        return None
    return CropPlace(region, matrix_of_region(to_crop, *region[:2]), similarity_scale(to_crop))


def region_of(mask: FloatArray, to_crop: NDArray[np.float64], frame: Frame) -> Region | None:
    """The part of the frame that the mask covers; None: there is none.

    Args:
        mask: As for `place_in_frame`.
        to_crop: As for `place_in_frame`.
        frame: The frame.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if rows.size == 0:
        return None
    left, right, top, bottom = columns[0] - 1, columns[-1] + 1, rows[0] - 1, rows[-1] + 1
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]], np.float64)
    reached = transform_points(invert_affine(to_crop), corners)
    grid_x, grid_y = (1 << s for s in frame.format.chroma_shift)
    x0, y0 = (max(int(np.floor(v)), 0) for v in reached.min(0))
    x1, y1 = (int(np.ceil(v)) + 1 for v in reached.max(0))
    x0, y0, x1, y1 = x0 - x0 % grid_x, y0 - y0 % grid_y, min(x1, frame.width), min(y1, frame.height)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def warp_back(image: FloatArray, place: CropPlace) -> FloatArray:
    """A crop (S, S) or (S, S, 3), warped into the region of its frame; 0 outside of the crop."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(image, place.matrix, place.size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(warped, np.float32)
