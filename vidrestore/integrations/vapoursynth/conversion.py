"""Converts planes and sample types between VapourSynth's frames and the pipeline's."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import vapoursynth as vs
from numpy.typing import NDArray

from vidrestore.errors import UsageError
from vidrestore.integrations.vapoursynth.clip_info import FLOAT_DEPTH, colour_tags, pixel_format
from vidrestore.types import Frame, Plane

_PEAK, _NEUTRAL = 2**FLOAT_DEPTH - 1, 2 ** (FLOAT_DEPTH - 1)
"""Integer values of 1.0 and of neutral chroma."""
_TO_PLANAR_RGB = (1, 2, 0)
"""VapourSynth's planes are R G B, the pipeline's G B R."""
_FROM_PLANAR_RGB = (2, 0, 1)


def frame_from_planes(frame: vs.VideoFrame, number: int, rate: Fraction) -> Frame:
    """A copy of VapourSynth's frame as a frame of the pipeline.

    Args:
        frame: The frame to copy.
        number: Its number in the clip, from 0.
        rate: Frames a second.

    Raises:
        UsageError: The frame is interlaced, or its format is not supported.
    """
    if int(frame.props.get("_FieldBased", 0)):
        raise UsageError(
            f"frame {number} is marked as interlaced: deinterlace the clip, or restore the file with the "
            "command, which keeps interlaced video; if it is progressive, call std.SetFieldBased(0) first"
        )
    form = frame.format
    planes = [_codes(np.asarray(frame[plane]), plane, form) for plane in range(form.num_planes)]
    if form.color_family == vs.RGB:
        planes = [planes[plane] for plane in _TO_PLANAR_RGB]
    return Frame(
        index=number,
        pts=number,
        duration=1,
        time_base=1 / rate,
        planes=tuple(planes),
        format=pixel_format(form),
        colour=colour_tags(frame.props, form),
    )


def write_planes(result: Frame, before: Frame, target: vs.VideoFrame) -> None:
    """Write a restored frame into VapourSynth's copy of the original frame.

    Floating-point samples get the difference only, so unchanged samples keep their exact values.

    Args:
        result: The restored frame.
        before: The original frame, as `frame_from_planes` returned it.
        target: The copy to write to.
    """
    form = target.format
    for plane in range(form.num_planes):
        place = _FROM_PLANAR_RGB[plane] if form.color_family == vs.RGB else plane
        samples = np.asarray(target[plane])
        if form.sample_type == vs.INTEGER:
            np.copyto(samples, result.planes[place])
        else:
            new, old = result.planes[place], before.planes[place]
            changed = new != old
            change = (new[changed].astype(np.float32) - old[changed]) / np.float32(_PEAK)
            samples[changed] = samples[changed] + change


def _codes(samples: NDArray[Any], plane: int, form: vs.VideoFormat) -> Plane:
    if form.sample_type == vs.INTEGER:
        return samples.copy()  # the host's memory may be freed
    offset = _NEUTRAL if form.color_family == vs.YUV and plane else 0
    values = np.nan_to_num(samples.astype(np.float32), posinf=1, neginf=-1).clip(-1, 1)
    return (np.round(values * _PEAK) + offset).clip(0, _PEAK).astype(np.uint16)
