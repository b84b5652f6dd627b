"""Frame -> Detection: a new search every few frames and after a loss; faces are followed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vidrestore.colour.downscale import downscale
from vidrestore.detection.detector import FaceDetector, Search
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.detection.preparation import with_preparation
from vidrestore.faces.boxes import smaller_side
from vidrestore.faces.face_square import tilt
from vidrestore.faces.orientation import detection_from_upright, upright_frame
from vidrestore.settings import DEFAULT_MIN_FACE
from vidrestore.types import Detection, FloatArray, Frame, FrameFaces

FULL_EVERY = 5
"""One of this many searches also covers small faces, if nothing happens."""
THOROUGH_EVERY = 100
"""Frames from one thorough search to the next, if nothing happens."""
THOROUGH_REST = 12
"""Minimum number of frames between two thorough searches, each of which takes as long as four others."""
ROLLED = 45.0
"""Roll angle [degrees] above which only a thorough search finds a face again."""
CUT_CHANGE = 0.06
"""Mean change of a thumbnail of the luma (0..1), without brightness, that causes a search."""
_THUMBNAIL_SIZE = (32, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorState:
    """The state of detection between two frames, besides the frame itself."""

    count: int
    """Number of frames so far."""
    faces: tuple[Detection, ...]
    """Faces of the last frame, in its upright orientation."""
    last_thorough: int | None = None
    """Number of the last frame with a thorough search."""
    wants_thorough: bool = False
    """Whether another thorough search is needed."""


def detect(
    frames: Iterable[Frame],
    detector: FaceDetector,
    *,
    interval: int = 5,
    min_face: int = DEFAULT_MIN_FACE,
    begin: DetectorState | None = None,
    on_state: Callable[[DetectorState], None] | None = None,
) -> Iterator[FrameFaces[Detection]]:
    """The faces of each frame, in order; the detector gets frames in upright orientation.

    There is no delay, except by a detector that prepares frames: it gets the next blocks of them ahead.

    Args:
        frames: A video's frames in order.
        detector: Finds and follows faces.
        interval: Frames between two searches, most of which are quick. A lost face or a large change of the
            picture (a cut) causes a better search at once.
        min_face: Faces with a box lower or narrower than this [frame px] are left out.
        begin: A value of `on_state` to resume from. `frames` must start with the last frame that it counts,
            which is not yielded again.
        on_state: Called before each frame is yielded.
    """
    state = begin or DetectorState(count=0, faces=())
    frames = iter(frames)
    previous = None if begin is None else _thumbnail(upright_frame(next(frames)))
    plan = _SearchPlan(interval, state, lambda: state)
    for coded, frame in with_preparation(frames, detector, plan.next_searches):
        followed = detector.follow(frame, state.faces) if state.faces else ()
        thumbnail = _thumbnail(frame)
        has_changed = previous is not None and _change(previous, thumbnail) > CUT_CHANGE
        previous = thumbnail
        has_lost = len(followed) < len(state.faces)
        has_lost_rolled = has_lost and any(abs(tilt(face.landmarks)) > ROLLED for face in state.faces)
        wants_thorough = state.wants_thorough or has_changed or has_lost_rolled
        search = _choose_search(state, interval, wants_thorough, has_changed or has_lost)
        found: Sequence[Detection] = ()
        if search is not None:
            # Only a quick search relies on followed faces. Faces that a search misses are kept.
            sure = followed if search == "quick" else ()
            found = detector.detect(frame, search=search, existing=sure)
        faces = tuple(d for d in suppress_duplicates([*followed, *found]) if smaller_side(d.box) >= min_face)
        state = DetectorState(
            count=state.count + 1,
            faces=faces,
            last_thorough=state.count if search == "thorough" else state.last_thorough,
            wants_thorough=wants_thorough and search != "thorough",
        )
        if on_state is not None:
            on_state(state)
        yield FrameFaces(frame=coded, faces=tuple(detection_from_upright(d, coded) for d in faces))


class _SearchPlan:
    """The searches that the next frames need if nothing happens: no face is lost, and there is no cut."""

    def __init__(self, interval: int, begin: DetectorState, state: Callable[[], DetectorState]) -> None:
        self._interval, self._state = interval, state
        self._next = begin

    def next_searches(self, count: int) -> list[Search | None]:
        """The searches of the next `count` frames that are not planned yet."""
        last, happened = self._next.last_thorough, self._state().last_thorough
        if happened is not None and (last is None or happened > last):
            self._next = replace(self._next, last_thorough=happened)
        return [self._one() for _ in range(count)]

    def _one(self) -> Search | None:
        state = self._next
        search = _choose_search(state, self._interval, wants_thorough=False, is_urgent=False)
        last = state.count if search == "thorough" else state.last_thorough
        self._next = replace(state, count=state.count + 1, last_thorough=last)
        return search


def _choose_search(
    state: DetectorState, interval: int, wants_thorough: bool, is_urgent: bool
) -> Search | None:
    """The search that the next frame needs, if any."""
    count, last = state.count, state.last_thorough
    if last is None or count - last >= (THOROUGH_REST if wants_thorough else THOROUGH_EVERY):
        return "thorough"
    if is_urgent or count % (interval * FULL_EVERY) == 0:
        return "full"
    return "quick" if count % interval == 0 else None


def _thumbnail(frame: Frame) -> FloatArray:
    small = downscale(frame.planes[0], _THUMBNAIL_SIZE)
    scaled = small.astype(np.float32) / ((1 << frame.format.bit_depth) - 1)
    return scaled - scaled.mean()


def _change(previous: FloatArray, now: FloatArray) -> float:
    return float(np.abs(now - previous).mean())
