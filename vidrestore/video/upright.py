"""Pictures as they are shown: files of pictures do not say how to turn them, so their samples are turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import InputError
from vidrestore.types import PixelFormat
from vidrestore.video.formats import describe_format

Samples = TypeVar("Samples", bound=NDArray[np.generic])


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """By quarters and mirrors, as a display matrix says; first transposed, then mirrored."""

    transposed: bool = False
    mirrored: bool = False
    """Left for right."""
    upside_down: bool = False

    @classmethod
    def of_matrix(cls, matrix: tuple[int, ...] | None) -> Turn:
        """A pixel (x, y) is shown at (a x + c y, b x + d y) of FFmpeg's matrix a b . c d . . . ."""
        if matrix is None:
            return cls()
        a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
        if abs(a) >= abs(b):
            return cls(mirrored=a < 0, upside_down=d < 0)
        return cls(transposed=True, mirrored=c < 0, upside_down=b < 0)

    def planes(self, planes: Sequence[Samples]) -> tuple[Samples, ...]:
        return tuple(self.samples(plane) for plane in planes)

    def samples(self, samples: Samples) -> Samples:
        """(H, W) or (H, W, C)"""
        turned = np.swapaxes(samples, 0, 1) if self.transposed else samples
        return turned[:: -1 if self.upside_down else 1, :: -1 if self.mirrored else 1]  # type: ignore[return-value]

    def size(self, width: int, height: int) -> tuple[int, int]:
        return (height, width) if self.transposed else (width, height)

    def aspect(self, pixel_aspect: Fraction) -> Fraction:
        return 1 / pixel_aspect if self.transposed else pixel_aspect

    def format(self, given: PixelFormat) -> PixelFormat:
        """That of the turned planes: 4:2:2 becomes 4:4:0. Raises InputError where there is none."""
        right, down = given.chroma_shift
        if not self.transposed or right == down:
            return given
        for stored, turned in (("422", "440"), ("440", "422")):
            if stored in given.name:
                return describe_format(given.name.replace(stored, turned))
        raise InputError(f"{given.name} pictures cannot be turned upright; write them as video, such as .mkv")
