"""VapourSynth's frames <-> frames of the pipeline: planes and sample types."""

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
"""Codes of 1.0 and of neutral chroma."""
_TO_PLANAR_RGB = (1, 2, 0)
"""VapourSynth's planes are R G B, the pipeline's G B R."""
_FROM_PLANAR_RGB = (2, 0, 1)


def frame_from_planes(frame: vs.VideoFrame, number: int, rate: Fraction) -> Frame:
    """The frame of the pipeline that holds the same samples. Raises UsageError for an interlaced one."""
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
    """Writes a restored frame into a copy of the original; floats change by what was changed only."""
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
