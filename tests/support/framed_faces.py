"""Frames of any format with faces anywhere in them, for comparing tensor code with OpenCV."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from hypothesis import strategies as st

from tests.support.frames import make_frame
from vidrestore.faces.alignment import template
from vidrestore.types import UPRIGHT, ColourTags, FloatArray, Frame, Orientation, PixelFormat

WIDTH, HEIGHT = 150, 131
FORMATS = st.builds(
    lambda family, depth, shift: PixelFormat(
        name="any", family=family, bit_depth=depth, chroma_shift=shift if family == "yuv" else (0, 0)
    ),
    st.sampled_from(["yuv", "yuv", "yuv", "rgb", "gray"]),
    st.sampled_from([8, 10, 12, 16]),
    st.sampled_from([(1, 1), (1, 0), (0, 0), (2, 0)]),
)
COLOURS = st.builds(
    ColourTags,
    matrix=st.sampled_from([1, 5, 9]),
    full_range=st.booleans(),
    siting=st.integers(0, 6),
)
ORIENTATIONS = st.builds(Orientation, turn=st.sampled_from([0, 90, 180, 270]), mirrored=st.booleans())


def soft_noise(height: int, width: int, seed: int, sigma: float = 1.5) -> FloatArray:
    noise = np.random.default_rng(seed).random((height, width, 3), np.float32)
    return np.asarray(0.5 + 3 * (cv2.GaussianBlur(noise, (0, 0), sigma) - 0.5), np.float32).clip(0, 1)


def frame_of(form: PixelFormat, colour: ColourTags, orientation: Orientation, seed: int) -> Frame:
    """A frame of soft noise."""
    return frame_of_picture(soft_noise(HEIGHT, WIDTH, seed), form, colour, orientation)


def frame_of_picture(
    picture: FloatArray, form: PixelFormat, colour: ColourTags, orientation: Orientation = UPRIGHT
) -> Frame:
    """A frame whose planes are the channels of a picture (H, W, 3) in 0..1."""
    peak = (1 << form.bit_depth) - 1
    planes = []
    for index in range(1 if form.family == "gray" else 3):
        right, down = form.chroma_shift if index else (0, 0)
        plane = picture[:: 1 << down, :: 1 << right, index] * peak
        planes.append(np.rint(plane).astype(np.uint8 if form.bit_depth == 8 else np.uint16))
    frame = make_frame(planes, "yuv444p", colour)
    return replace(frame, format=form, orientation=orientation)


def landmarks_of(centre: tuple[float, float], angle: float, reach: float) -> FloatArray:
    """The five points of a face whose crop covers `reach` pixels a side of the frame."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((template(1) - 0.5) @ turn.T * reach + np.array(centre), np.float32)
