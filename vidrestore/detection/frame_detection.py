"""Frame -> Detection: everything anew every few frames and after a loss, faces followed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vidrestore.colour.downscale import small_copy
from vidrestore.detection.detector import FaceDetector
from vidrestore.detection.overlap import without_duplicates
from vidrestore.faces.boxes import smaller_side
from vidrestore.faces.orientation import from_upright, upright
from vidrestore.types import Detection, FloatArray, Frame, FrameFaces

THOROUGH_EVERY = 5
"""Searches of which one is thorough where nothing happens."""
CHANGED = 0.06
"""Mean change of a tiny copy of the luma (0..1), brightness aside, that calls for a thorough search."""
_TINY = (32, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that detection remembers after a frame, besides that frame itself."""

    count: int
    """Frames so far."""
    faces: tuple[Detection, ...]
    """Those of the last of them, as it is shown."""


def detect(
    frames: Iterable[Frame],
    detector: FaceDetector,
    *,
    interval: int = 5,
    min_face: int = 24,
    begin: Known | None = None,
    on_known: Callable[[Known], None] | None = None,
) -> Iterator[FrameFaces[Detection]]:
    """One out per frame in, same order, at once; the detector sees each as a player shows it.

    `interval`: frames between two searches, of which most are quick. A face that could not be followed and a
    picture that changed all over (a cut) bring on a thorough one at once.
    `min_face`: faces whose box is lower or narrower than this [frame px] are left out.
    `on_known` is called before each frame comes out. With one of its values as `begin`, and `frames` from the
    last it counts on, all goes on as it would have; that frame itself does not come out again.
    """
    known: tuple[Detection, ...] = ()
    before: FloatArray | None = None
    frames, first = iter(frames), 0
    if begin is not None:
        known, first = begin.faces, begin.count
        before = _tiny(upright(next(frames)))
    for count, coded in enumerate(frames, first):
        frame = upright(coded)
        followed = detector.follow(frame, known) if known else ()
        look = _tiny(frame)
        surprising = before is None or len(followed) < len(known) or _change(before, look) > CHANGED
        before = look
        if surprising or count % interval == 0:
            quick = not surprising and count // interval % THOROUGH_EVERY != 0
            # What a search misses but following still verifies stays.
            sure = followed if quick else ()  # a thorough search takes nothing for granted
            found = without_duplicates([*followed, *detector.detect(frame, quick=quick, known=sure)])
        else:
            found = without_duplicates(followed)
        known = tuple(d for d in found if smaller_side(d.box) >= min_face)
        if on_known is not None:
            on_known(Known(count=count + 1, faces=known))
        yield FrameFaces(frame=coded, faces=tuple(from_upright(d, coded) for d in known))


def _tiny(frame: Frame) -> FloatArray:
    small = small_copy(frame.planes[0], _TINY)
    scaled = small.astype(np.float32) / ((1 << frame.format.bit_depth) - 1)
    return scaled - scaled.mean()


def _change(before: FloatArray, now: FloatArray) -> float:
    return float(np.abs(now - before).mean())
