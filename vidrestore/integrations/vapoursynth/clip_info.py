"""A clip's format, frame rate and colour, in the pipeline's types."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import vapoursynth as vs

from vidrestore.errors import UsageError
from vidrestore.types import UPRIGHT, ColourTags, PixelFormat, VideoInfo

_CHROMA = {(0, 0): "444", (1, 0): "422", (1, 1): "420", (0, 1): "440", (2, 0): "411", (2, 2): "410"}
_USUAL_RATE = Fraction(25)
FLOAT_DEPTH = 16
"""Floating-point samples are processed as integers of this many bits."""


def clip_info(clip: vs.VideoNode) -> VideoInfo:
    """The clip's properties.

    Raises:
        UsageError: Its format or size changes, or the format is not supported.
    """
    if clip.format is None or not clip.width or not clip.height:
        raise UsageError("the clip changes its format or size; make it constant with resize first")
    rate = frame_rate(clip)
    return VideoInfo(
        path=Path("clip"),
        width=clip.width,
        height=clip.height,
        frame_rate=rate,
        time_base=1 / rate,
        pixel_aspect=Fraction(1),
        frame_count=clip.num_frames,
        duration=None,
        orientation=UPRIGHT,
        pixel_format=pixel_format(clip.format),
        colour=ColourTags(),
        field_order="progressive",
        codec="rawvideo",
        bit_rate=None,
        other_streams=(),
    )


def frame_rate(clip: vs.VideoNode) -> Fraction:
    """Frames a second; 25 where the clip does not state it."""
    return Fraction(clip.fps) or _USUAL_RATE


def pixel_format(form: vs.VideoFormat) -> PixelFormat:
    """The pipeline's format for a clip's format. Raises UsageError if it has none."""
    depth = FLOAT_DEPTH if form.sample_type == vs.FLOAT else form.bits_per_sample
    shift = (form.subsampling_w, form.subsampling_h)
    if depth > 16 or (form.color_family == vs.YUV and shift not in _CHROMA):
        raise UsageError(f"the clip's format {form.name} is not supported; convert it with resize first")
    suffix = "" if depth == 8 else f"{depth}le"
    if form.color_family == vs.GRAY:
        return PixelFormat(name=f"gray{suffix}", family="gray", bit_depth=depth)
    if form.color_family == vs.RGB:
        return PixelFormat(name=f"gbrp{suffix}", family="rgb", bit_depth=depth)
    name = f"yuv{_CHROMA[shift]}p{suffix}"
    return PixelFormat(name=name, family="yuv", bit_depth=depth, chroma_shift=shift)


def colour_tags(props: Mapping[str, Any], form: vs.VideoFormat) -> ColourTags:
    """The colour tags in a frame's properties."""
    is_rgb = form.color_family == vs.RGB
    location = props.get("_ChromaLocation")
    return ColourTags(
        matrix=0 if is_rgb else int(props.get("_Matrix", 2)),
        primaries=int(props.get("_Primaries", 2)),
        transfer=int(props.get("_Transfer", 2)),
        full_range=form.sample_type == vs.FLOAT or _is_full_range(props, is_rgb),
        siting=0 if location is None or form.color_family != vs.YUV else int(location) + 1,
    )


def _is_full_range(props: Mapping[str, Any], is_rgb: bool) -> bool:
    if "_Range" in props:
        return int(props["_Range"]) == 1
    if "_ColorRange" in props:  # the older property has the opposite values
        return int(props["_ColorRange"]) == 0
    return is_rgb
