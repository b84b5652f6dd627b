"""Detects scene cuts on a small copy of the luma.

Pictures are compared where neither has black bars, with normalised brightness and contrast, so that flicker
and exposure fades do not count. If a picture returns after a frame or two, it was a flash, not a cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np

from vidrestore.colour.downscale import downscale
from vidrestore.tracking.face_cuts import FaceCuts
from vidrestore.types import Detection, FloatArray, Frame, FrameFaces

LOOK_AHEAD = 2
CHANGE = 0.45
"""Minimum decorrelation of a cut (0: the same picture, 1: unrelated pictures)."""
MIN_CHANGE_RATIO = 3.0
"""Minimum ratio of the change at a cut to the changes between the frames before it."""
_SIZE = (48, 27)
_BLANK = 2.0 / 255
_BLACK = 0.12
"""Maximum luma of black bars: video black and some grain."""
_MIN_SHARE = 0.2
"""Minimum share of the picture between black bars; otherwise it is a dark picture without bars."""


class _Picture(NamedTuple):
    """A small copy of a frame, and the rows and columns between its black bars."""

    luma: FloatArray
    rows: slice
    columns: slice


_Waiting = tuple[FrameFaces[Detection], _Picture | None]


def number_scenes(
    items: Iterable[FrameFaces[Detection]], *, scene: int = 0, face_cuts: FaceCuts | None = None
) -> Iterator[FrameFaces[Detection]]:
    """The frames with their scene numbers, delayed by `LOOK_AHEAD` frames.

    Results do not depend on earlier scenes, so reading may start at any cut.

    Args:
        items: Frames with detections.
        scene: Number of the first scene.
        face_cuts: Finds cuts between two people at the same place; None: they are missed.
    """
    waiting: deque[_Waiting] = deque()
    cuts = _Cuts(face_cuts)
    stream = iter(items)
    ended = False
    while not ended or waiting:
        while not ended and len(waiting) <= LOOK_AHEAD:
            item = next(stream, None)
            if item is None:
                ended = True
            else:
                waiting.append((item, _thumbnail(item.frame)))
        if not waiting:
            return
        item, picture = waiting.popleft()
        if picture is not None and cuts.is_cut(item, picture, waiting):
            scene += 1
        yield FrameFaces(frame=item.frame, faces=item.faces, scene=scene)


class _Cuts:
    """Compares each frame with the one before it, by the picture and then by the faces."""

    def __init__(self, face_cuts: FaceCuts | None) -> None:
        self._face_cuts = face_cuts
        self._changes: deque[float] = deque(maxlen=8)
        self._last: _Picture | None = None

    def is_cut(self, item: FrameFaces[Detection], picture: _Picture, following: Iterable[_Waiting]) -> bool:
        """Whether a scene begins with this frame; False for the first frame of all."""
        last = self._last
        if last is None:
            self._begin_scene(item, picture)
            return False
        change = _change(last, picture)
        if _is_cut(change, self._changes):
            if _is_flash(last, following):
                return False  # the next frame is compared with the one before the flash
        elif self._face_cuts is None or not self._face_cuts.is_cut(item, [each for each, _ in following]):
            self._changes.append(change)
            self._last = picture
            return False
        self._begin_scene(item, picture)
        return True

    def _begin_scene(self, first: FrameFaces[Detection], picture: _Picture) -> None:
        self._changes.clear()
        self._last = picture
        if self._face_cuts is not None:
            self._face_cuts.begin_scene(first)


def _is_cut(change: float, recent_changes: deque[float]) -> bool:
    usual = median(recent_changes) if recent_changes else 0.0
    return change > max(CHANGE, MIN_CHANGE_RATIO * usual)


def _is_flash(last: _Picture, following: Iterable[_Waiting]) -> bool:
    return any(picture is not None and _change(last, picture) < CHANGE / 2 for _, picture in following)


def _change(a: _Picture, b: _Picture) -> float:
    rows, columns = _common(a.rows, b.rows), _common(a.columns, b.columns)
    if (rows.stop - rows.start) * (columns.stop - columns.start) < _MIN_SHARE * a.luma.size:
        rows = columns = slice(None)
    return 1.0 - float((_pattern(a.luma[rows, columns]) * _pattern(b.luma[rows, columns])).sum())


def _common(a: slice, b: slice) -> slice:
    start = max(a.start, b.start)
    return slice(start, max(min(a.stop, b.stop), start))


def _pattern(luma: FloatArray) -> FloatArray:
    """The luma with mean 0 and length 1."""
    centred = luma - luma.mean()
    return np.asarray(centred / (np.linalg.norm(centred) + 1e-6))


def _thumbnail(frame: Frame) -> _Picture | None:
    """A small copy of the frame; None for a blank frame, which cannot be compared."""
    small = downscale(frame.planes[0], _SIZE).astype(np.float32)
    small /= (1 << frame.format.bit_depth) - 1
    rows, columns = _between_bars(small.max(axis=1)), _between_bars(small.max(axis=0))
    luma = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float32)
    return None if luma[rows, columns].std() < _BLANK else _Picture(luma, rows, columns)


def _between_bars(brightest: FloatArray) -> slice:
    """The rows or columns without the dark ones at both ends; all if all are dark."""
    lit = np.flatnonzero(brightest > _BLACK)
    if not lit.size:
        return slice(0, len(brightest))
    # The row next to a bar is mixed with a part of it.
    first, last = int(lit[0]), int(lit[-1]) + 1
    start, stop = first + (first > 0), last - (last < len(brightest))
    return slice(start, stop) if stop > start else slice(first, last)
