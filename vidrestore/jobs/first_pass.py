"""The first pass: decodes a video once, in order, and records tracked and smoothed faces. Cheap.

It can be interrupted at any time and resumes at the last scene change: there the tracker has no state, and
the detector's state is a few faces.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from vidrestore.detection import DetectorState, FaceDetector, detect
from vidrestore.identity import LazyRecogniser
from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.pipeline import ITEMS_AHEAD, chosen_faces
from vidrestore.runtime.pipeline_threads import Prefetch
from vidrestore.settings import Settings
from vidrestore.tracking import SceneStart, track
from vidrestore.types import Detection, Frame, FrameFaces, TrackedFace, VideoInfo
from vidrestore.video import FieldProcessing, FrameFingerprint, Input, checksum, read_frames, reread_frames

CONTEXT = 2
"""Frames before a checkpoint that are read again: deinterlacing and detection each look one frame back."""
_AHEAD_BYTES = 64 * 2**20
_STATES_KEPT = 64
"""Number of detector states in memory: detection is ahead of tracking by its lag and the cut detector's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisCheckpoint:
    """A point from which the analysis can resume."""

    frame: int
    """The first frame of a scene."""
    start: SceneStart
    detector_state: DetectorState

    def to_json(self) -> str:
        """The checkpoint as text for the journal."""
        faces = [[f.box.tolist(), f.landmarks.tolist(), f.score] for f in self.detector_state.faces]
        start = [self.start.number, self.start.scene, self.start.next_id]
        state = self.detector_state
        known = [state.count, state.last_thorough, state.wants_thorough, faces]
        return json.dumps({"frame": self.frame, "start": start, "known": known})

    @classmethod
    def from_json(cls, text: str) -> AnalysisCheckpoint:
        value = json.loads(text)
        number, scene, next_id = value["start"]
        count, last_thorough, wants_thorough, faces = value["known"]
        detections = tuple(
            Detection(box=np.array(box, np.float32), landmarks=np.array(points, np.float32), score=score)
            for box, points, score in faces
        )
        return cls(
            frame=value["frame"],
            start=SceneStart(number=number, scene=scene, next_id=next_id),
            detector_state=DetectorState(
                count=count, faces=detections, last_thorough=last_thorough, wants_thorough=wants_thorough
            ),
        )


def analyse(
    video_input: Input,
    info: VideoInfo,
    field_processing: FieldProcessing,
    settings: Settings,
    detector: FaceDetector,
    *,
    on_loss: Callable[[], None],
    on_frame: Callable[[Frame], None],
    on_checkpoint: Callable[[AnalysisCheckpoint], None],
    begin: AnalysisCheckpoint | None = None,
    context: Sequence[FrameFingerprint] = (),
) -> Generator[FrameRecord]:
    """A record of each frame, in order.

    Args:
        video_input: The video.
        info: Its properties.
        field_processing: How interlaced video is processed.
        settings: The settings of the run.
        detector: Finds the faces.
        on_loss: Called for each frame that is lost or concealed.
        on_frame: Called for each frame when it is decoded.
        on_checkpoint: Called before the first record of a scene at which the analysis can resume.
        begin: Where to resume; None: from the first frame.
        context: The `CONTEXT` frames before `begin`, or fewer at the start of the video.

    Yields:
        The records. If frames are lost after the last one, a record with index -1 counts them.
    """
    frame_log = _FrameLog(begin.frame if begin is not None else 0, on_loss, on_frame)
    moments = 2 if field_processing.method == "fields" else 1
    decoded = _decode(video_input, info, settings, frame_log, context)
    recent: deque[DetectorState] = deque(maxlen=_STATES_KEPT)

    def scene_begins(start: SceneStart) -> None:
        detector_state = next((k for k in recent if k.count == start.number), None)
        if detector_state is not None and start.number % moments == 0:
            on_checkpoint(
                AnalysisCheckpoint(frame=start.number // moments, start=start, detector_state=detector_state)
            )

    with Prefetch(
        field_processing.split_fields(frame_log.log_frames(decoded)),
        items=ITEMS_AHEAD,
        max_bytes=_AHEAD_BYTES,
        size_of=attrgetter("nbytes"),
    ) as frames:
        analysed_frames: Iterable[Frame] = frames
        if begin is not None:
            analysed_frames = _from_frame(frames, begin.frame - 1, moments)
        detections = detect(
            analysed_frames,
            detector,
            min_face=settings.min_face,
            begin=None if begin is None else begin.detector_state,
            on_state=recent.append,
        )
        tracked = track(
            detections,
            recogniser=LazyRecogniser(settings.device),
            begin=None if begin is None else begin.start,
            on_scene=scene_begins,
        )
        yield from frame_log.records(chosen_faces(tracked, settings), moments)
    if frame_log.lost_so_far:
        nothing = FrameFingerprint(index=-1, pts=0, duration=0, checksum=0)
        yield FrameRecord(fingerprint=nothing, scenes=(), faces=(), lost=frame_log.lost_so_far)


def _decode(
    video_input: Input,
    info: VideoInfo,
    settings: Settings,
    frame_log: _FrameLog,
    context: Sequence[FrameFingerprint],
) -> Iterator[Frame]:
    if not context:
        return read_frames(
            video_input,
            info,
            **settings.time_range(info.frame_rate),
            on_lost=frame_log.lost,
            on_concealed=frame_log.concealed,
        )
    return reread_frames(
        video_input,
        info,
        context,
        continue_after=True,
        end=settings.time_range(info.frame_rate)["end"],
        on_lost=frame_log.lost,
        on_concealed=frame_log.concealed,
    )


class _FrameLog:
    """Remembers fingerprints and losses of decoded frames until their faces are known."""

    def __init__(self, first: int, on_loss: Callable[[], None], on_frame: Callable[[Frame], None]) -> None:
        self.lost_so_far = 0
        """Number of frames lost since the last frame."""
        self._concealed = 0
        self._first, self._on_loss, self._on_frame = first, on_loss, on_frame
        self._logged: dict[int, tuple[FrameFingerprint, int, int]] = {}

    def lost(self) -> None:
        self.lost_so_far += 1
        self._on_loss()

    def concealed(self) -> None:
        self._concealed = 1
        self._on_loss()

    def log_frames(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            self._on_frame(frame)
            if frame.index >= self._first:
                fingerprint = FrameFingerprint(
                    index=frame.index, pts=frame.pts, duration=frame.duration, checksum=checksum(frame)
                )
                self._logged[frame.index] = (fingerprint, self.lost_so_far, self._concealed)
            self.lost_so_far = self._concealed = 0
            yield frame

    def records(self, items: Iterable[FrameFaces[TrackedFace]], moments: int) -> Iterator[FrameRecord]:
        fields: list[FrameFaces[TrackedFace]] = []
        for item in items:
            fields.append(item)
            if len(fields) < moments:
                continue
            fingerprint, lost, concealed = self._logged.pop(item.frame.index)
            yield FrameRecord(
                fingerprint=fingerprint,
                scenes=tuple(i.scene for i in fields),
                faces=tuple(i.faces for i in fields),
                lost=lost,
                concealed=concealed,
            )
            fields = []


def _from_frame(frames: Iterable[Frame], index: int, moments: int) -> Iterator[Frame]:
    """The frames from the last field of frame `index` on."""
    started = False
    for frame in frames:
        started = started or (frame.index == index and frame.second_field == (moments == 2))
        if started:
            yield frame
