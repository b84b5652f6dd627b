"""Detection -> TrackedFace: people followed through time, their points smoothed both ways."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vidrestore.tracking.cuts import number_scenes
from vidrestore.tracking.kalman import box_of, points_of, smooth
from vidrestore.tracking.opacity import fade_out, limit_step, opacity_for_pose, opacity_for_score
from vidrestore.tracking.tracker import CONFIRMATIONS, Track, Tracker
from vidrestore.types import Detection, FrameFaces, TrackedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneStart:
    """All that is known where a scene begins, as nobody is remembered over a cut."""

    number: int = 0
    """Of its first frame: how many came before."""
    scene: int = 0
    next_id: int = 0
    """Tracks numbered so far."""


def track(
    items: Iterable[FrameFaces[Detection]],
    *,
    lag: int = 12,
    max_lost_seconds: float = 0.5,
    begin: SceneStart | None = None,
    on_scene: Callable[[SceneStart], None] | None = None,
) -> Iterator[FrameFaces[TrackedFace]]:
    """One frame out per frame in, same order, `lag` frames late.

    A face comes out once it has been seen often enough, from its first sight on: the lag leaves time for
    that. Gaps are bridged where the face comes back within the lag and nothing hides it in between; a face
    that is gone is not painted.
    `on_scene` is called at each cut, once all frames before it are out and none of those behind; `items` from
    there on with `begin` give what they gave in one go.
    """
    begin = begin or SceneStart()
    tracker = Tracker(
        max_lost_seconds=max_lost_seconds, confirmations=min(CONFIRMATIONS, lag + 1), next_id=begin.next_id
    )
    waiting: deque[tuple[int, FrameFaces[Detection]]] = deque()
    scene_start = begin.number
    previous: FrameFaces[Detection] | None = None
    number = -1
    for number, item in enumerate(number_scenes(items, scene=begin.scene), begin.number):
        if previous is not None and item.scene != previous.scene:
            # The old scene is complete: what was waiting knows all it can know.
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
    """Hand out all but the last `keep` waiting frames."""
    newest = waiting[-1][0] if waiting else 0
    while len(waiting) > keep:
        number, item = waiting.popleft()
        faces = [_face(t, number, newest, scene_start) for t in tracker.tracks]
        yield FrameFaces(
            frame=item.frame, faces=tuple(face for face in faces if face is not None), scene=item.scene
        )
        for old in tracker.tracks:
            old.forget_before(number + 1)
        tracker.tracks = [t for t in tracker.tracks if t.beliefs]


def _face(track: Track, number: int, newest: int, scene_start: int) -> TrackedFace | None:
    index = number - track.first_frame
    if not track.confirmed or not 0 <= index < len(track.beliefs):
        return None
    observed_indices = [i for i in range(index, len(track.scores)) if track.scores[i] is not None]
    if not observed_indices or track.occluded[index]:
        track.opacity = 0.0
        return None  # it does not come back, or something is before it: not painted where it is not
    last = observed_indices[-1]
    state = smooth(track.beliefs[index : last + 1])
    landmarks = points_of(state)
    score = track.scores[index]
    # One frame's score says little; those of the frames to come say whether this is a face.
    sure = float(np.mean([s for s in track.scores[index:] if s is not None]))
    target = opacity_for_pose(landmarks) * opacity_for_score(sure)
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
