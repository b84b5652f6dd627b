"""Conversion between a frame that is one aligned face and the face for the networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidrestore.colour.hdr import from_sdr
from vidrestore.colour.yuv_rgb import planes_from_rgb, rgb_region, sdr_region
from vidrestore.faces.orientation import apply_orientation, undo_orientation
from vidrestore.types import FloatArray, Frame, PixelFormat, Plane


def face_of_frame(frame: Frame) -> FloatArray:
    """(S, S, 3) RGB in 0..1 of a square frame as it is displayed; for HDR, its SDR rendering."""
    rgb = sdr_region(frame, 0, 0, frame.width, frame.height)
    return np.asarray(apply_orientation(rgb.clip(0, 1), frame.orientation), np.float32)


def frame_with_face(face: FloatArray, frame: Frame) -> Frame:
    """A copy of the frame with another face (S, S, 3) RGB in 0..1. Alpha is not changed."""
    rgb = from_sdr(undo_orientation(face, frame.orientation), frame.colour)
    codes = planes_from_rgb(np.ascontiguousarray(rgb, np.float32), frame)
    planes = tuple(
        _rounded(plane, before, frame.format) for plane, before in zip(codes, frame.planes, strict=False)
    )
    return replace(frame, planes=(*planes, *frame.planes[len(planes) :]))


def with_rgb_planes(frame: Frame) -> Frame:
    """A YUV frame as RGB with the same bit depth, without chroma subsampling."""
    form, depth = frame.format, frame.format.bit_depth
    name = f"gbr{'ap' if form.has_alpha else 'p'}{'' if depth == 8 else f'{depth}le'}"
    rgb = PixelFormat(name=name, family="rgb", bit_depth=depth, has_alpha=form.has_alpha)
    values = rgb_region(frame, 0, 0, frame.width, frame.height) * ((1 << depth) - 1)
    planes = tuple(_rounded(values[..., channel], frame.planes[0], rgb) for channel in (1, 2, 0))
    colour = replace(frame.colour, matrix=0, full_range=True)
    return replace(frame, planes=(*planes, *frame.planes[3:]), format=rgb, colour=colour)


def _rounded(codes: FloatArray, like: Plane, form: PixelFormat) -> Plane:
    peak = (1 << form.bit_depth) - 1
    return np.ascontiguousarray(np.rint(codes.clip(0, peak)).astype(like.dtype))
