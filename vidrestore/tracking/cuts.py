"""Scene cuts, found on a small copy of the luma.

Pictures are compared after their brightness and contrast are taken out, so flicker and fades of exposure do
not count; a picture that comes back after a frame or two was interrupted by a flash, not by a cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from vidrestore.types import Detection, FloatArray, Frame, FrameFaces

LOOK_AHEAD = 2
CHANGE = 0.45
"""Least decorrelation (0: the same picture, 1: unrelated ones) of a cut."""
STEADY = 3.0
"""A cut changes the picture so many times as much as the frames before it changed."""
_SIZE = (48, 27)
_BLANK = 2.0 / 255


def number_scenes(items: Iterable[FrameFaces[Detection]]) -> Iterator[FrameFaces[Detection]]:
    """The same frames with their scene's number, `LOOK_AHEAD` frames late."""
    waiting: deque[tuple[FrameFaces[Detection], FloatArray | None]] = deque()
    changes: deque[float] = deque(maxlen=8)
    last: FloatArray | None = None
    scene = 0
    stream = iter(items)
    ended = False
    while not ended or waiting:
        while not ended and len(waiting) <= LOOK_AHEAD:
            item = next(stream, None)
            if item is None:
                ended = True
            else:
                waiting.append((item, _fingerprint(item.frame)))
        if not waiting:
            return
        item, picture = waiting.popleft()
        if picture is not None:
            change = 0.0 if last is None else _change(last, picture)
            if last is not None and _is_cut(change, changes):
                if not _comes_back(last, waiting):
                    scene += 1
                    changes.clear()
                    last = picture
                # else a flash: the next frame is compared with the one before it
            else:
                changes.append(change)
                last = picture
        yield FrameFaces(frame=item.frame, faces=item.faces, scene=scene)


def _is_cut(change: float, before: deque[float]) -> bool:
    usual = float(np.median(before)) if before else 0.0
    return change > max(CHANGE, STEADY * usual)


def _comes_back(
    last: FloatArray, following: Iterable[tuple[FrameFaces[Detection], FloatArray | None]]
) -> bool:
    return any(picture is not None and _change(last, picture) < CHANGE / 2 for _, picture in following)


def _change(a: FloatArray, b: FloatArray) -> float:
    return 1.0 - float((a * b).sum())


def _fingerprint(frame: Frame) -> FloatArray | None:
    """A small picture of mean zero and length one; None for a blank one, which says nothing."""
    small = cv2.resize(frame.planes[0], _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    blurred = cv2.GaussianBlur(small, (0, 0), 1.0) / ((1 << frame.format.bit_depth) - 1)
    pattern = blurred - blurred.mean()
    if pattern.std() < _BLANK:
        return None
    return (pattern / np.linalg.norm(pattern)).astype(np.float32)
