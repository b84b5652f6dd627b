"""Pictures of PyAV that a caller has, and frames: the same samples, times and colour."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av

from vidrestore.errors import UsageError
from vidrestore.types import Frame
from vidrestore.video.formats import pixel_formats
from vidrestore.video.reading.probe import colour_tags
from vidrestore.video.reading.side_data import siting_and_field_order


def is_pyav_picture(value: Any) -> bool:
    """Whether it is an `av.VideoFrame`."""
    return isinstance(value, av.VideoFrame)


def frame_from_pyav(picture: av.VideoFrame, *, index: int, frame_rate: Fraction) -> Frame:
    """The frame with the picture's samples, time and colour; without a time, that of its index.

    Args:
        picture: Decoded, or made by the caller.
        index: Number of the frame in its stream, from 0.
        frame_rate: Frames a second, for pictures without a time.

    Raises:
        UsageError: Its samples are floating-point numbers.
        InputError: Its pixel format has no planar equivalent with 8 to 16 bits.
    """
    if pixel_formats.is_float(picture.format.name):
        raise UsageError(
            f"an av.VideoFrame with floating-point samples ({picture.format.name}) would be cut off at 1 and "
            "lose precision; pass a NumPy array of float32 in 0..1"
        )
    siting, _ = siting_and_field_order(picture)
    has_time = picture.pts is not None and picture.time_base
    return Frame(
        index=index,
        pts=int(picture.pts) if has_time and picture.pts is not None else index,
        duration=int(picture.duration or 0) if has_time else 1,
        time_base=Fraction(picture.time_base) if has_time and picture.time_base else 1 / frame_rate,
        planes=pixel_formats.unpack(picture),
        format=pixel_formats.describe_format(picture.format.name),
        colour=colour_tags(picture, siting),
    )


def pyav_from_frame(frame: Frame, original: av.VideoFrame) -> av.VideoFrame:
    """A new picture with the frame's samples, and all else as `original` says, but without its side data.

    It has the pixel format of `original`; where that cannot hold the frame's samples (such as rgb565 and
    monow, of less than 8 bits), the planar format of `frame`.
    """
    picture = pixel_formats.pack_like(frame.planes, original.format.name)
    picture.pts = original.pts
    if original.time_base:
        picture.time_base = original.time_base
    picture.colorspace, picture.color_range = original.colorspace, original.color_range
    picture.color_primaries, picture.color_trc = original.color_primaries, original.color_trc
    picture.pict_type = original.pict_type
    return picture
