"""Starts, updates and ends tracks, one scene after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vidrestore.tracking.kalman import FaceFilter, FilterStep, box_of, points_of
from vidrestore.tracking.matching import TrackPrediction, appearance_of, appearance_similarity, assign
from vidrestore.types import Detection, FloatArray, Frame

CONFIRMATIONS = 4
"""Detections that confirm a face: a detector's errors last one to three frames."""
MAX_UNCONFIRMED_MISSES = 2
"""Consecutive frames without a detection that end an unconfirmed track."""
REIDENTIFY_SECONDS = 3.0
MIN_REIDENTIFY_SIMILARITY = 0.75
MIN_VISIBLE_SIMILARITY = 0.6
"""Minimum similarity of appearance at which a face that was not detected counts as visible."""
_APPEARANCE_RATE = 0.2


@dataclass(slots=True)
class Track:
    """One face through time. The lists have an entry for each frame from `first_frame` on."""

    track_id: int
    filter: FaceFilter
    appearance: FloatArray
    first_frame: int
    last_seen: float
    """Time of the last detection [s]."""
    scores: list[float | None]
    """The detector's score; None: not detected in this frame."""
    occluded: list[bool]
    """Whether the picture shows something else at the face's predicted position."""
    steps: list[FilterStep] = field(default_factory=list)
    confirmations: int = 1
    opacity: float = 0.0
    """Opacity in the last frame that was yielded."""

    @property
    def confirmed(self) -> bool:
        return self.track_id >= 0

    def forget_before(self, frame: int) -> None:
        """Removes the entries of frames before number `frame`, so that the lag limits memory."""
        expired = min(max(frame - self.first_frame, 0), len(self.steps))
        del self.steps[:expired], self.scores[:expired], self.occluded[:expired]
        self.first_frame += expired


class Tracker:
    """Associates detections with tracks, frame after frame."""

    def __init__(
        self, *, max_lost_seconds: float, confirmations: int = CONFIRMATIONS, next_id: int = 0
    ) -> None:
        self.tracks: list[Track] = []
        """Active tracks and ended ones; the caller removes those that it does not need any more."""
        self._ended: list[tuple[float, Track]] = []
        self._max_lost_seconds = max_lost_seconds
        self._confirmations = confirmations
        self._next_id = next_id
        self._active: list[Track] = []

    @property
    def next_id(self) -> int:
        """The number of the next new track."""
        return self._next_id

    def confirm_present_throughout(self, frames: int) -> None:
        """Confirms faces that are in all frames of a scene; call it at the scene's end.

        Args:
            frames: Number of the scene's frames, which may be too few to confirm a face otherwise.
        """
        for track in self._active:
            if not track.confirmed and track.confirmations >= frames:
                track.track_id = self._new_id()

    def cut(self) -> None:
        """Ends all tracks, because tracks do not continue over a cut."""
        self._active = []
        self._ended = []

    def update(self, number: int, frame: Frame, seconds: float, detections: Sequence[Detection]) -> None:
        """Adds the detections of the next frame.

        Args:
            number: Number of the frame, from 0.
            frame: The frame.
            seconds: Time since the previous frame.
            detections: The faces detected in it.
        """
        now = frame.seconds
        for track in self._active:
            track.filter.predict(seconds)
        appearances = [appearance_of(frame, detection.box) for detection in detections]
        predictions = [
            TrackPrediction(
                box=box_of(t.filter.state), landmarks=points_of(t.filter.state), appearance=t.appearance
            )
            for t in self._active
        ]
        pairs = dict(assign(predictions, detections, appearances))
        for index, track in enumerate(self._active):
            at = pairs.get(index)
            if at is None:
                self._extend_unseen(track, frame)
            else:
                self._extend(track, detections[at], appearances[at], now)
        for at in set(range(len(detections))) - set(pairs.values()):
            self._begin(number, detections[at], appearances[at], now)
        self._end_lost(now)

    def _extend_unseen(self, track: Track, frame: Frame) -> None:
        track.steps.append(track.filter.update(None))
        track.scores.append(None)
        patch = appearance_of(frame, box_of(track.filter.state))
        track.occluded.append(appearance_similarity(patch, track.appearance) < MIN_VISIBLE_SIMILARITY)

    def _extend(self, track: Track, detection: Detection, appearance: FloatArray, now: float) -> None:
        track.steps.append(track.filter.update(detection))
        track.scores.append(detection.score)
        track.occluded.append(False)
        track.confirmations += 1
        track.last_seen = now
        mixed = (1 - _APPEARANCE_RATE) * track.appearance + _APPEARANCE_RATE * appearance
        track.appearance = (mixed / (np.linalg.norm(mixed) + 1e-6)).astype(np.float32)
        if track.confirmations >= self._confirmations and not track.confirmed:
            track.track_id = self._reidentify(track) if self._ended else self._new_id()

    def _begin(self, number: int, detection: Detection, appearance: FloatArray, now: float) -> None:
        face = FaceFilter(detection)
        track = Track(
            track_id=-1,
            filter=face,
            appearance=appearance,
            first_frame=number,
            last_seen=now,
            scores=[detection.score],
            occluded=[False],
            steps=[face.step()],
        )
        self.tracks.append(track)
        self._active.append(track)

    def _end_lost(self, now: float) -> None:
        lost = [
            t
            for t in self._active
            if now - t.last_seen > self._max_lost_seconds
            or (not t.confirmed and t.scores[-MAX_UNCONFIRMED_MISSES:] == [None] * MAX_UNCONFIRMED_MISSES)
        ]
        self._ended += [(now, t) for t in lost if t.confirmed]
        self._ended = [(when, t) for when, t in self._ended if now - when <= REIDENTIFY_SECONDS]
        self._active = [t for t in self._active if not any(t is expired for expired in lost)]

    def _reidentify(self, track: Track) -> int:
        """The number of the ended track whose appearance is most similar, or a new number."""
        similarity, _, (_, best) = max(
            (appearance_similarity(track.appearance, old.appearance), -index, (when, old))
            for index, (when, old) in enumerate(self._ended)
        )
        if similarity < MIN_REIDENTIFY_SIMILARITY:
            return self._new_id()
        self._ended = [(when, t) for when, t in self._ended if t is not best]
        return best.track_id

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1
