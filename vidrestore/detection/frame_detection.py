"""Frame -> Detection: everything anew every few frames and after a loss, faces followed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vidrestore.colour.downscale import downscale
from vidrestore.detection.detector import FaceDetector, Search
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.faces.boxes import smaller_side
from vidrestore.faces.face_square import tilt
from vidrestore.faces.orientation import detection_from_upright, upright_frame
from vidrestore.types import Detection, FloatArray, Frame, FrameFaces

FULL_EVERY = 5
"""Searches of which one is for small faces as well, where nothing happens."""
THOROUGH_EVERY = 100
"""Frames from one thorough search to the next, where nothing happens."""
THOROUGH_REST = 12
"""Frames that lie between two of those at least, whatever happens: each takes as long as four others."""
ROLLED = 45.0
"""Degrees by which a face is turned that only a thorough search finds again."""
CUT_CHANGE = 0.06
"""Mean change of a tiny copy of the luma (0..1), brightness aside, that calls for a search."""
_TINY = (32, 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorState:
    """What detection carries from one frame to the next, besides the frame itself."""

    count: int
    """Frames so far."""
    faces: tuple[Detection, ...]
    """Those of the last of them, as it is shown."""
    last_thorough: int | None = None
    """Frames before the last one that was searched thoroughly."""
    wants_thorough: bool = False
    """Whether something has happened since that asks for another."""


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

    Args:
        frames: a video's frames in order.
        detector: finds and follows faces.
        interval: frames between two searches, of which most are quick. A face that could not be followed and
            a picture that changed all over (a cut) bring on a better one at once.
        min_face: faces whose box is lower or narrower than this [frame px] are left out.
        begin: one of the values of `on_state`. With `frames` from the last it counts on, all goes on as it
            would have; that frame itself does not come out again.
        on_state: is called before each frame comes out.
    """
    state = begin or DetectorState(count=0, faces=())
    frames = iter(frames)
    previous = None if begin is None else _tiny(upright_frame(next(frames)))
    for coded in frames:
        frame = upright_frame(coded)
        followed = detector.follow(frame, state.faces) if state.faces else ()
        thumbnail = _tiny(frame)
        has_changed = previous is not None and _change(previous, thumbnail) > CUT_CHANGE
        previous = thumbnail
        has_lost = len(followed) < len(state.faces)
        has_lost_rolled = has_lost and any(abs(tilt(face.landmarks)) > ROLLED for face in state.faces)
        wants_thorough = state.wants_thorough or has_changed or has_lost_rolled
        search = _choose_search(state, interval, wants_thorough, has_changed or has_lost)
        found: Sequence[Detection] = ()
        if search is not None:
            # Only a quick search relies on what was followed. What a search misses stays all the same.
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


def _tiny(frame: Frame) -> FloatArray:
    small = downscale(frame.planes[0], _TINY)
    scaled = small.astype(np.float32) / ((1 << frame.format.bit_depth) - 1)
    return scaled - scaled.mean()


def _change(previous: FloatArray, now: FloatArray) -> float:
    return float(np.abs(now - previous).mean())
