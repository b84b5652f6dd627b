"""Detects scene cuts by the faces: at the same place there is another person.

Two heads before the same ground change a small copy of the picture little, so `cuts` misses such a cut. Here
the faces themselves are compared: first a small copy of each, which costs next to nothing; only if it changes
suddenly, their identities.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.faces.alignment import face_to_crop, warp_face
from vidrestore.faces.boxes import overlap, smaller_side
from vidrestore.tracking.matching import appearance_of, appearance_similarity
from vidrestore.types import Detection, FloatArray, Frame, FrameFaces

SAME_PLACE = 0.4
"""Minimum overlap of the boxes of two faces at the same place."""
CHANGE = 0.06
"""Minimum decorrelation of the small copies of a face at a cut (0: the same, 1: unrelated)."""
MIN_CHANGE_RATIO = 3.0
"""Minimum ratio of that change to the largest one before it: who passes in front of a face covers it step by
step."""
OTHER_PERSON = 0.4
"""Minimum identity distance of the faces before and after a cut."""
SAME_FACE = 0.95
"""Correlation of aligned faces at `_COARSE` pixels from which they are the same: blur changes identities more
than this."""
MIN_SIDE = 32
"""Smallest side [px] of a face whose identity is compared."""
MIN_INSIDE = 0.9
"""Minimum share of a face's box inside the frame."""
_COARSE = 12
_CROP = 256
_REMEMBERED = 4
"""Number of changes before it."""

Items = FrameFaces[Detection]


class Recogniser(Protocol):
    """Computes descriptors, which differ between people."""

    def describe(self, faces: Sequence[FloatArray]) -> FloatArray:
        """(N, D) descriptors of N aligned faces (S, S, 3) RGB in 0..1."""


class FaceCuts:
    """Compares the faces of neighbouring frames, one scene after the other."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._changes: deque[float] = deque(maxlen=_REMEMBERED)
        self._last: Items | None = None
        """The frame to compare with: the one before, without flashes."""

    def begin_scene(self, first: Items) -> None:
        """Forgets the scene before `first`."""
        self._changes.clear()
        self._last = first

    def is_cut(self, item: Items, following: Sequence[Items]) -> bool:
        """Whether all faces that stay at their places become other people, who stay.

        Args:
            item: The next frame of the scene.
            following: The frames after it. If a person returns in one of them, it was a flash, not a cut. A
                face that leaves the picture or blurs changes on and on: who comes after a cut stays the same.
        """
        last = self._last
        pairs = [] if last is None else _at_the_same_place(last, item)
        if last is None or not pairs:
            self._last = item
            return False
        change = min(_change(last.frame, one, item.frame, other) for one, other in pairs)
        before = max(self._changes, default=0.0)
        if change > max(CHANGE, MIN_CHANGE_RATIO * before) and not self._shows_anybody(last, item):
            if any(self._shows_anybody(last, later) for later in following):
                return False  # a flash: the next frame is compared with the one before it
            if following and all(self._shows_anybody(item, later) for later in following):
                return True
        self._changes.append(change)
        self._last = item
        return False

    def _shows_anybody(self, last: Items, item: Items) -> bool:
        """Whether a face of `last` is in `item`, at the same place."""
        return any(
            self._is_same(last.frame, one, item.frame, other) for one, other in _at_the_same_place(last, item)
        )

    def _is_same(self, frame: Frame, face: Detection, later: Frame, other: Detection) -> bool:
        crops = [
            warp_face(shown, face_to_crop(shown, each.landmarks, _CROP), _CROP)
            for shown, each in ((frame, face), (later, other))
        ]
        one, two = map(_coarse, crops)
        if float(one @ two) >= SAME_FACE:
            return True
        first, second = self._recogniser.describe(crops)
        return float(np.linalg.norm(first - second)) < OTHER_PERSON


def _at_the_same_place(last: Items, item: Items) -> list[tuple[Detection, Detection]]:
    """The faces of both frames at the same places, if they can be recognised."""
    return [
        (one, other)
        for one in last.faces
        for other in item.faces
        if overlap(one.box, other.box) >= SAME_PLACE
        and _is_recognisable(last.frame, one)
        and _is_recognisable(item.frame, other)
    ]


def _is_recognisable(frame: Frame, face: Detection) -> bool:
    """Whether the face is large enough and in the picture."""
    x0, y0, x1, y1 = face.box
    inside = max(min(x1, frame.width) - max(x0, 0), 0) * max(min(y1, frame.height) - max(y0, 0), 0)
    return smaller_side(face.box) >= MIN_SIDE and inside >= MIN_INSIDE * (x1 - x0) * (y1 - y0)


def _change(frame: Frame, face: Detection, later: Frame, other: Detection) -> float:
    return 1 - appearance_similarity(appearance_of(frame, face.box), appearance_of(later, other.box))


def _coarse(crop: FloatArray) -> FloatArray:
    """The luma of an aligned face at `_COARSE` pixels a side, mean 0 and length 1."""
    grey = crop @ np.array(BT601_LUMA, np.float32)
    small = cv2.resize(grey, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA).ravel()
    small = small - small.mean()
    return np.asarray(small / (np.linalg.norm(small) + 1e-6), np.float32)
