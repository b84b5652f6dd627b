"""Frame -> Detection: everything anew every few frames and after a loss, faces followed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vidrestore.colour.downscale import downscale
from vidrestore.detection.detector import FaceDetector
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.faces.boxes import smaller_side
from vidrestore.faces.orientation import detection_from_upright, upright_frame
from vidrestore.types import Detection, FloatArray, Frame, FrameFaces

THOROUGH_EVERY = 5
"""Searches of which one is thorough where nothing happens."""
CUT_CHANGE = 0.06
"""Mean change of a tiny copy of the luma (0..1), brightness aside, that calls for a thorough search."""
_TINY = (32, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorState:
    """What detection carries from one frame to the next, besides the frame itself."""

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
    begin: DetectorState | None = None,
    on_state: Callable[[DetectorState], None] | None = None,
) -> Iterator[FrameFaces[Detection]]:
    """One out per frame in, same order, at once; the detector sees each as a player shows it.

    `interval`: frames between two searches, of which most are quick. A face that could not be followed and a
    picture that changed all over (a cut) bring on a thorough one at once.
    `min_face`: faces whose box is lower or narrower than this [frame px] are left out.
    `on_state` is called before each frame comes out. With one of its values as `begin`, and `frames` from the
    last it counts on, all goes on as it would have; that frame itself does not come out again.
    """
    tracked_faces: tuple[Detection, ...] = ()
    previous: FloatArray | None = None
    frames, first = iter(frames), 0
    if begin is not None:
        tracked_faces, first = begin.faces, begin.count
        previous = _tiny(upright_frame(next(frames)))
    for count, coded in enumerate(frames, first):
        frame = upright_frame(coded)
        followed = detector.follow(frame, tracked_faces) if tracked_faces else ()
        thumbnail = _tiny(frame)
        needs_search = (
            previous is None
            or len(followed) < len(tracked_faces)
            or _change(previous, thumbnail) > CUT_CHANGE
        )
        previous = thumbnail
        if needs_search or count % interval == 0:
            quick = not needs_search and count // interval % THOROUGH_EVERY != 0
            # What a search misses but following still verifies stays.
            sure = followed if quick else ()  # a thorough search takes nothing for granted
            detections = suppress_duplicates([*followed, *detector.detect(frame, quick=quick, existing=sure)])
        else:
            detections = suppress_duplicates(followed)
        tracked_faces = tuple(d for d in detections if smaller_side(d.box) >= min_face)
        if on_state is not None:
            on_state(DetectorState(count=count + 1, faces=tracked_faces))
        yield FrameFaces(frame=coded, faces=tuple(detection_from_upright(d, coded) for d in tracked_faces))


def _tiny(frame: Frame) -> FloatArray:
    small = downscale(frame.planes[0], _TINY)
    scaled = small.astype(np.float32) / ((1 << frame.format.bit_depth) - 1)
    return scaled - scaled.mean()


def _change(previous: FloatArray, now: FloatArray) -> float:
    return float(np.abs(now - previous).mean())
