"""Tracks faces through the frames of each scene and smooths their positions forwards and backwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vidrestore.tracking.cuts import number_scenes
from vidrestore.tracking.face_cuts import FaceCuts, Recogniser
from vidrestore.tracking.kalman import box_of, points_of, smooth
from vidrestore.tracking.opacity import fade_out, limit_step, opacity_for_pose, opacity_for_score
from vidrestore.tracking.tracker import CONFIRMATIONS, Track, Tracker
from vidrestore.types import Detection, FrameFaces, TrackedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneStart:
    """The state of tracking at the start of a scene: tracks do not continue over a cut."""

    number: int = 0
    """Number of the scene's first frame, from 0."""
    scene: int = 0
    next_id: int = 0
    """Number of the next new track."""


def track(
    items: Iterable[FrameFaces[Detection]],
    *,
    lag: int = 12,
    max_lost_seconds: float = 0.5,
    recogniser: Recogniser | None = None,
    begin: SceneStart | None = None,
    on_scene: Callable[[SceneStart], None] | None = None,
) -> Iterator[FrameFaces[TrackedFace]]:
    """The frames with tracked faces: one for each input frame, in order, `lag` frames late.

    A face that is confirmed within the lag is tracked from its first detection on. Gaps are bridged if the
    face returns within the lag and is not occluded; a face that has left is not tracked any more.

    Args:
        items: Frames with detections.
        lag: Number of frames of look-ahead.
        max_lost_seconds: A track ends after this time without a detection.
        recogniser: Finds cuts between two people at the same place; None: they are missed.
        begin: The scene at which `items` start; None: the start of the video.
        on_scene: Called at each cut, after all frames of the old scene and before those of the new one. With
            its value as `begin`, the rest of the frames gives the same result as in one pass.

    Yields:
        Each frame with its tracked faces and scene number.
    """
    begin = begin or SceneStart()
    face_cuts = None if recogniser is None else FaceCuts(recogniser)
    tracker = Tracker(
        max_lost_seconds=max_lost_seconds, confirmations=min(CONFIRMATIONS, lag + 1), next_id=begin.next_id
    )
    waiting: deque[tuple[int, FrameFaces[Detection]]] = deque()
    scene_start = begin.number
    previous: FrameFaces[Detection] | None = None
    number = -1
    for number, item in enumerate(number_scenes(items, scene=begin.scene, face_cuts=face_cuts), begin.number):
        if previous is not None and item.scene != previous.scene:
            # The old scene is complete: its frames need no more look-ahead.
            tracker.confirm_present_throughout(number - scene_start)
            yield from _drain(waiting, 0, tracker, scene_start)
            tracker.cut()
            scene_start = number
            if on_scene is not None:
                on_scene(SceneStart(number=number, scene=item.scene, next_id=tracker.next_id))
        seconds = 0.0 if previous is None else max(item.frame.seconds - previous.frame.seconds, 1e-4)
        tracker.update(number, item.frame, seconds, item.faces)
        waiting.append((number, item))
        yield from _drain(waiting, lag, tracker, scene_start)
        previous = item
    if previous is not None:
        tracker.confirm_present_throughout(number + 1 - scene_start)
        yield from _drain(waiting, 0, tracker, scene_start)


def _drain(
    waiting: deque[tuple[int, FrameFaces[Detection]]],
    keep: int,
    tracker: Tracker,
    scene_start: int,
) -> Iterator[FrameFaces[TrackedFace]]:
    """Yields all but the last `keep` waiting frames."""
    newest = waiting[-1][0] if waiting else 0
    while len(waiting) > keep:
        number, item = waiting.popleft()
        faces = [_face(t, number, newest, scene_start) for t in tracker.tracks]
        yield FrameFaces(
            frame=item.frame, faces=tuple(face for face in faces if face is not None), scene=item.scene
        )
        for old in tracker.tracks:
            old.forget_before(number + 1)
        tracker.tracks = [t for t in tracker.tracks if t.steps]


def _face(track: Track, number: int, newest: int, scene_start: int) -> TrackedFace | None:
    index = number - track.first_frame
    if not track.confirmed or not 0 <= index < len(track.steps):
        return None
    observed_indices = [i for i in range(index, len(track.scores)) if track.scores[i] is not None]
    if not observed_indices or track.occluded[index]:
        track.opacity = 0.0
        return None  # it does not return, or is occluded
    last = observed_indices[-1]
    state = smooth(track.steps[index : last + 1])
    landmarks = points_of(state)
    score = track.scores[index]
    # The mean score of the following frames shows more reliably whether this is a face.
    mean_score = float(np.mean([s for s in track.scores[index:] if s is not None]))
    target = opacity_for_pose(landmarks) * opacity_for_score(mean_score)
    last_number = track.first_frame + last
    if last_number < newest:
        target *= fade_out(last_number - number)
    if any(track.occluded[index:]):
        target *= fade_out(track.occluded[index:].index(True) - 1)
    track.opacity = target if number <= scene_start else limit_step(target, track.opacity)
    return TrackedFace(
        track_id=track.track_id,
        box=box_of(state),
        landmarks=landmarks,
        score=score or 0.0,
        observed=score is not None,
        opacity=track.opacity,
    )
