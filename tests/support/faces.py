"""Photographs of faces, as frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from vidrestore.types import ColourTags, Frame, PixelFormat

RGB = PixelFormat(name="gbrp", family="rgb", bit_depth=8)


# scikit-image's astronaut: eyes, nose and mouth corners as YuNet, another detector, places them.
ASTRONAUT = np.array([[203, 104], [248, 104], [224, 128], [204, 143], [243, 144]], np.float32)


def still(rgb: np.ndarray) -> Frame:
    return Frame(
        index=0,
        pts=0,
        duration=1,
        time_base=Fraction(1, 25),
        planes=(rgb[..., 1], rgb[..., 2], rgb[..., 0]),
        format=RGB,
        colour=ColourTags(full_range=True),
    )


def people(rows: int, columns: int, cell: int) -> np.ndarray:
    """A picture with a face in each of rows x columns cells, each of another size, light and mirroring."""
    rng = np.random.default_rng(7)
    portrait = data.astronaut()[20:250, 110:340]
    picture = np.full((rows * cell, columns * cell, 3), 70, np.uint8)
    for index in range(rows * columns):
        side = int(rng.uniform(0.6, 1) * cell)
        face = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)[
            :, :: int(rng.choice([1, -1]))
        ]
        y, x = index // columns * cell, index % columns * cell
        picture[y : y + side, x : x + side] = np.clip(face * rng.uniform(0.5, 1.2), 0, 255)
    return picture


def read_rgb(path: Path) -> np.ndarray:
    """(h, w, 3) of a picture file."""
    return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
