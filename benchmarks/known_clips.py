"""Clips with a known number of faces in every frame, made from the sample that the repository ships.

The face of the sample's first half second moves over a background that a camera pans across. Frames repeat
back and forth, so that a clip may be as long as one likes without a jump.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

SAMPLE = Path(__file__).parents[1] / "samples" / "old_film.mp4"
RATE = Fraction(25)
SIZES = {480: (854, 480), 720: (1280, 720), 1080: (1920, 1080)}
"""Width and height by the number of lines."""
ENCODING = {"crf": "18", "preset": "veryfast"}
_LEFT, _TOP, _WIDTH, _HEIGHT = 112, 32, 288, 256
"""Where in the sample the face of its first frames is."""
_FACE_FRAMES = 12
_PERIOD = 50
"""Frames after which everything comes back."""


def make_clip(path: Path, *, lines: int, faces: int, frames: int) -> Path:
    """An H.264 clip of `SIZES[lines]` with `faces` (0 to 4) faces of a third of its height in each frame."""
    pictures = list(_pictures(SIZES[lines], faces))
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=RATE, options=dict(ENCODING))
        video.width, video.height = SIZES[lines]
        video.pix_fmt = "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(pictures[number % _PERIOD], "yuv420p")
            frame.pts, frame.time_base = number, 1 / RATE
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def portraits(side: int) -> list[NDArray[np.float32]]:
    """The sample's first faces, (side, side, 3) RGB in 0..1: real ones, as the network is given them."""
    return [_square(picture, side) for picture in _portraits(_HEIGHT)]


def _square(picture: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    edge = (picture.shape[1] - picture.shape[0]) // 2
    middle = picture[:, edge : edge + picture.shape[0]].astype(np.float32) / 255
    return np.asarray(cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def _pictures(size: tuple[int, int], faces: int) -> Iterator[NDArray[np.uint8]]:
    """One period of frames, as planes of yuv420p one below the other."""
    width, height = size
    portraits = _portraits(height // 3)
    tall, wide = portraits[0].shape[:2]
    background = _background(width + 64, height + 64)
    for number in range(_PERIOD):
        swing = np.sin(2 * np.pi * number / _PERIOD)
        x, y = round(32 + 30 * swing), round(32 + 20 * swing)
        picture = background[y : y + height, x : x + width].copy()
        turn = abs((number + _FACE_FRAMES) % (2 * _FACE_FRAMES) - _FACE_FRAMES)
        for face in range(faces):
            row, column = divmod(face, 2)
            left = round(width * (0.12 + 0.45 * column) + 0.02 * width * swing)
            top = round(height * (0.08 + 0.48 * row))
            picture[top : top + tall, left : left + wide] = portraits[min(turn, len(portraits) - 1)]
        yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)


def _portraits(height: int) -> list[NDArray[np.uint8]]:
    """The sample's first frames around the face."""
    made = []
    with av.open(str(SAMPLE)) as container:
        for picture, _ in zip(container.decode(video=0), range(_FACE_FRAMES), strict=False):
            rgb = picture.to_ndarray(format="rgb24")[_TOP : _TOP + _HEIGHT, _LEFT : _LEFT + _WIDTH]
            made.append(cv2.resize(rgb, (_WIDTH * height // _HEIGHT, height), interpolation=cv2.INTER_CUBIC))
    return [np.asarray(picture, np.uint8) for picture in made]


def _background(width: int, height: int) -> NDArray[np.uint8]:
    """Soft shapes and some grain: something to code, nothing to be taken for a face."""
    rng = np.random.default_rng(7)
    coarse = rng.random((height // 40, width // 40, 3)).astype(np.float32)
    smooth = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    grain = rng.standard_normal((height, width, 1)).astype(np.float32) * 0.02
    return (np.clip(0.25 + 0.4 * smooth + grain, 0, 1) * 255).astype(np.uint8)
