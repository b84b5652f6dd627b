"""The whole frames that show the worst faces, read by random access after the measuring.

decord reads them where it can: it does not support every file, and for some it returns a neighbouring frame,
so the time of each frame is compared. Where decord fails, the project's own reader reads the frames.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import downscaled_rgb
from vidrestore.faces.orientation import upright_frame
from vidrestore.video import open_input, probe, read_frames

LONGEST_SIDE = 640
"""Larger frames are shrunk to this [px]."""
_TOLERANCE_SECONDS = 0.002

Picture = NDArray[np.uint8]


def frames_at(path: Path, wanted: Sequence[tuple[int, float]]) -> list[Picture]:
    """Frames of a file as (h, w, 3) RGB pictures, at most 640 pixels on the longer side.

    Args:
        path: A video, a picture or a numbered sequence.
        wanted: The number of each frame, and its time [s] after the first frame.

    Returns:
        One picture for each item of `wanted`, in the same order.

    Raises:
        InputError: The file cannot be read.
    """
    if not wanted:
        return []
    found = _by_decord(path, wanted)
    return found if found is not None else _by_reading(path, wanted)


def _by_decord(path: Path, wanted: Sequence[tuple[int, float]]) -> list[Picture] | None:
    """None where decord is not installed, cannot read the file, or finds other times or another number."""
    given = open_input(path)
    if given.is_picture or given.pipe is not None:
        return None
    info = probe(given)
    try:
        decord: Any = importlib.import_module("decord")
        reader = decord.VideoReader(str(path), num_threads=1)
        if not info.is_counted or len(reader) != info.frame_count:
            return None  # it drops the frames before the first key frame of a transport stream
        first = float(reader.get_frame_timestamp(0)[0])
        times = [float(reader.get_frame_timestamp(number)[0]) - first for number, _ in wanted]
        if any(abs(t - s) > _TOLERANCE_SECONDS for t, (_, s) in zip(times, wanted, strict=True)):
            return None
        pictures = reader.get_batch([number for number, _ in wanted]).asnumpy()
    except (ImportError, RuntimeError, IndexError, OSError):
        return None
    return [_shrunk(picture) for picture in pictures]


def _by_reading(path: Path, wanted: Sequence[tuple[int, float]]) -> list[Picture]:
    """By the project's reader: seeks to half a frame before each frame."""
    given = open_input(path)
    info = probe(given)
    found: dict[int, Picture] = {}
    for number, seconds in sorted(set(wanted)):
        half = 0.5 / float(info.frame_rate)
        start = max(seconds - half, 0.0)
        frames = read_frames(given, info, start=start or None)
        frame = next(iter(frames))
        frames.close()  # type: ignore[attr-defined]
        found[number] = downscaled_rgb(upright_frame(frame), LONGEST_SIDE)[0]
    return [found[number] for number, _ in wanted]


def _shrunk(picture: Picture) -> Picture:
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
