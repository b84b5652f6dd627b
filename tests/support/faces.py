"""A photograph of a face, as a frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

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
