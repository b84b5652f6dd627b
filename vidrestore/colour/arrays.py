"""Conversion between frames and pictures in arrays: RGB, RGBA or grey; 8 bits, 16 bits or floats."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import UsageError
from vidrestore.types import ColourTags, Frame, PixelFormat, Plane

_RGB = ColourTags(matrix=0, full_range=True)
_GREY = ColourTags(full_range=True)
_FLOAT_PEAK = 65535
_LEAST, _MOST = -0.5, 2.0
"""Floats beyond are in other units, such as 0..255. Resampling and sharpening leave 0..1 by less."""


def frame_from_array(picture: NDArray[Any], *, index: int = 0, frame_rate: Fraction = Fraction(25)) -> Frame:
    """A frame from a picture.

    Args:
        picture: (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey; uint8, uint16, or float32 in 0..1.
        index: Number of the frame in its stream, from 0.
        frame_rate: Frames per second.

    Raises:
        UsageError: The array has another shape, type or range, or no pixels.
    """
    picture = in_own_byte_order(picture)
    _check(picture)
    codes = _codes(picture)
    depth = 8 if codes.dtype == np.uint8 else 16
    suffix = "" if depth == 8 else "16le"
    planes: tuple[Plane, ...]
    if codes.ndim == 2:
        planes, colour = (np.ascontiguousarray(codes),), _GREY
        pixel_format = PixelFormat(name=f"gray{suffix}", family="gray", bit_depth=depth)
    else:
        order = (1, 2, 0, 3)[: codes.shape[2]]  # FFmpeg's planar RGB is G B R A
        planes, colour = tuple(np.ascontiguousarray(codes[..., channel]) for channel in order), _RGB
        has_alpha = codes.shape[2] == 4
        name = f"gbr{'ap' if has_alpha else 'p'}{suffix}"
        pixel_format = PixelFormat(name=name, family="rgb", bit_depth=depth, has_alpha=has_alpha)
    return Frame(
        index=index,
        pts=index,
        duration=1,
        time_base=1 / frame_rate,
        planes=planes,
        format=pixel_format,
        colour=colour,
    )


def array_from_frame(frame: Frame, original: NDArray[Any], before: Frame) -> NDArray[Any]:
    """The picture of a frame, with the shape and type of the original picture.

    Args:
        frame: A changed copy of `before`.
        original: The picture from which `before` was made.
        before: The result of `frame_from_array` for it.

    Returns:
        An array like `original`. Unchanged pixels have exactly the same values.
    """
    codes = _stacked(frame)
    if original.dtype.kind != "f":
        return codes.astype(original.dtype, copy=False)
    change = (codes.astype(np.float32) - _stacked(before)) / np.float32(_FLOAT_PEAK)
    return np.where(change == 0, original, original + change).astype(original.dtype)


def in_own_byte_order(samples: NDArray[Any]) -> NDArray[Any]:
    """The same values in this computer's order of bytes; files such as TIFF may be read in the other one."""
    return samples.astype(samples.dtype.newbyteorder("="), copy=False)


def check_range(picture: NDArray[np.float32], name: str) -> None:
    """Refuses floats that are not those of a picture in 0..1; values slightly outside of it are accepted.

    Args:
        picture: Its samples.
        name: What it is, for the sentence of the error.

    Raises:
        UsageError: There are infinite numbers, or numbers in other units.
    """
    low, high = float(picture.min()), float(picture.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UsageError(f"{name} of floats must have finite numbers only")
    if low < _LEAST or high > _MOST:
        raise UsageError(f"{name} of floats must have numbers from 0 to 1, got {low:g} to {high:g}")


def _stacked(frame: Frame) -> NDArray[Any]:
    if frame.format.family == "gray":
        return np.asarray(frame.planes[0])
    green, blue, red, *alpha = frame.planes
    return np.stack([red, green, blue, *alpha], axis=2)


def _codes(picture: NDArray[Any]) -> NDArray[Any]:
    if picture.dtype != np.float32:
        return picture
    return np.round(np.clip(picture, 0, 1) * _FLOAT_PEAK).astype(np.uint16)


def _check(picture: NDArray[Any]) -> None:
    fits = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] in (3, 4))
    if not fits or picture.size == 0:
        raise UsageError(
            f"a picture must be an array (H, W, 3), (H, W, 4) or (H, W), got shape {picture.shape}"
        )
    if picture.dtype not in (np.uint8, np.uint16, np.float32):
        raise UsageError(f"a picture must be uint8, uint16 or float32, got {picture.dtype}")
    if picture.dtype == np.float32:
        check_range(picture, "a picture")
