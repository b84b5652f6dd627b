"""Detection -> TrackedFace: people followed through time, their points smoothed both ways."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from vidrestore.tracking.cuts import number_scenes
from vidrestore.tracking.kalman import box_of, points_of, smooth
from vidrestore.tracking.opacity import fade, of_pose, of_score
from vidrestore.tracking.tracker import Track, Tracker
from vidrestore.types import Detection, FrameFaces, TrackedFace


def track(
    items: Iterable[FrameFaces[Detection]], *, lag: int = 6, seconds_to_death: float = 0.5
) -> Iterator[FrameFaces[TrackedFace]]:
    """One frame out per frame in, same order, `lag` frames late.

    A face comes out once two detections confirm it, from its first one on: the lag leaves time for that. Gaps
    are bridged where the face comes back within the lag; a face that is gone is not painted.
    """
    tracker = Tracker(seconds_to_death=seconds_to_death)
    waiting: deque[tuple[int, FrameFaces[Detection]]] = deque()
    scene_starts = {0: 0}
    before: FrameFaces[Detection] | None = None
    for number, item in enumerate(number_scenes(items)):
        if before is not None and item.scene != before.scene:
            # The old scene is complete: what was waiting knows all it can know.
            yield from _drain(waiting, 0, tracker, scene_starts[before.scene])
            tracker.cut()
            scene_starts = {item.scene: number}
        seconds = 0.0 if before is None else max(item.frame.seconds - before.frame.seconds, 1e-4)
        tracker.update(number, item.frame, seconds, item.faces)
        waiting.append((number, item))
        yield from _drain(waiting, lag, tracker, scene_starts[item.scene])
        before = item
    if before is not None:
        yield from _drain(waiting, 0, tracker, scene_starts[before.scene])


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
    at = number - track.first_frame
    if not track.confirmed or not 0 <= at < len(track.beliefs):
        return None
    seen = [i for i in range(at, len(track.scores)) if track.scores[i] is not None]
    if not seen:
        return None  # it does not come back: not painted where it is gone
    last = seen[-1]
    state = smooth(track.beliefs[at : last + 1])
    score = track.scores[at]
    landmarks = points_of(state)
    last_number = track.first_frame + last
    gone = last_number < newest
    return TrackedFace(
        track_id=track.track_id,
        box=box_of(state),
        landmarks=landmarks,
        score=score or 0.0,
        observed=score is not None,
        opacity=fade(
            None if track.born <= scene_start else number - track.born,
            last_number - number if gone else None,
        )
        * of_pose(landmarks)
        * (of_score(score) if score is not None else 1.0),
    )
