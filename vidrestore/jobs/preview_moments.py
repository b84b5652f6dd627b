"""The frames to preview, found by the first pass, with the records that their results depend on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from vidrestore.errors import InputError
from vidrestore.jobs.first_pass import analyse
from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.jobs.segment_plan import Span
from vidrestore.jobs.segment_task import context_frames, required_records
from vidrestore.runtime.cancellation import check_cancelled
from vidrestore.settings import Settings
from vidrestore.types import Progress, ProgressCallback, TrackedFace, VideoInfo
from vidrestore.video import OpenedVideo, tick_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A frame to show, and the records that its result depends on."""

    at: float
    index: int
    records: tuple[FrameRecord, ...]

    @property
    def faces(self) -> tuple[TrackedFace, ...]:
        return self._record.faces[0]

    @property
    def scenes(self) -> tuple[int, ...]:
        """Scene number: one, or one for each field if fields are restored."""
        return self._record.scenes

    @property
    def _record(self) -> FrameRecord:
        return next(r for r in self.records if r.fingerprint.index == self.index)


def find_moments(
    opened: OpenedVideo, times: Sequence[float], settings: Settings, on_progress: ProgressCallback | None
) -> list[Moment]:
    """The moments for the times, without duplicates; analyses the video only as far as they need.

    Args:
        opened: The video.
        times: Times to show [s from the video's first frame].
        settings: The settings of the run.
        on_progress: Called while the video is analysed.

    Returns:
        The moments, in the order of the video.

    Raises:
        InputError: The video has no frame at one of the times, or none can be decoded.
    """
    from vidrestore.detection import make_detector

    wanted = deque(sorted({(tick_at(opened.input, opened.info, at), at) for at in times}))
    context = context_frames(settings) + 1
    recent: deque[FrameRecord] = deque(maxlen=2 * context + 2)
    found: list[tuple[float, int]] = []
    moments: list[Moment] = []
    started, total = time.monotonic(), _expected_frames(opened.info, settings, times, context)
    records = analyse(
        opened.input,
        opened.info,
        opened.field_processing,
        settings,
        make_detector(settings.detector, settings.device, min_face=settings.min_face),
        on_loss=lambda: None,
        on_frame=lambda _: None,
        on_checkpoint=lambda _: None,
    )
    with closing(records):
        for record in records:
            check_cancelled()
            index, pts = record.fingerprint.index, record.fingerprint.pts
            if index < 0:
                continue  # counts frames that are lost after the last one
            while wanted and pts > wanted[0][0] and recent:
                found.append((wanted.popleft()[1], recent[-1].fingerprint.index))
            recent.append(record)
            while found and index >= found[0][1] + context:
                moments.append(make_moment(*found.pop(0), recent, opened))
            if on_progress is not None:
                seconds = time.monotonic() - started
                on_progress(
                    Progress(frames=index + 1, total=total, faces=0, seconds=seconds, stage="analysing")
                )
            if not wanted and not found:
                return moments
    return moments + _last_moments(found, wanted, recent, opened)


def make_moment(at: float, index: int, records: Sequence[FrameRecord], opened: OpenedVideo) -> Moment:
    """The moment of a frame.

    Args:
        at: Its time.
        index: Its number.
        records: Of it and of the frames around it.
        opened: The video.
    """
    span = Span(number=0, first=index, stop=index + 1)
    return Moment(at=at, index=index, records=required_records(span, records, opened.field_processing))


def _expected_frames(info: VideoInfo, settings: Settings, times: Sequence[float], context: int) -> int:
    """Approximate number of frames to analyse."""
    begin = settings.time_range(info.frame_rate)["start"] or 0.0
    return max(round((max(times) - begin) * info.frame_rate) + context, 1)


def _last_moments(
    found: list[tuple[float, int]],
    wanted: deque[tuple[int, float]],
    recent: deque[FrameRecord],
    opened: OpenedVideo,
) -> list[Moment]:
    """The moments that were not complete when the video ended. Raises InputError for later times."""
    info = opened.info
    if not recent:
        raise InputError(f"no frame of {info.path} could be decoded: the file is damaged or cut short")
    last = recent[-1].fingerprint
    shown_until = last.pts + max(last.duration, round(1 / info.frame_rate / info.time_base))
    for tick, at in wanted:
        if tick > shown_until:
            shown_at = at - float((tick - last.pts) * info.time_base)
            raise InputError(
                f"{info.path} has no frame at {at:g} s: the last one is at {shown_at:.2f} s; choose an "
                "earlier time"
            )
        found.append((at, last.index))
    return [make_moment(at, index, recent, opened) for at, index in found]
