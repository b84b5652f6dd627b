"""Counts and times of a run, and the report about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeVar

from vidrestore.errors import DamagedInputError
from vidrestore.runtime.cancellation import check_cancelled
from vidrestore.types import (
    DrawnShare,
    Frame,
    FrameFaces,
    Progress,
    ProgressCallback,
    Report,
    RestoredFace,
    Stage,
    TrackedFace,
    VideoInfo,
)

T = TypeVar("T")
ChangeKind = Literal["shape", "format", "colour"]
"""What can change in the middle of a stream."""
MOSTLY_DRAWN = 0.5
"""A track with a larger mean share of drawn detail is named in a warning."""
_MIN_MISSING_SECONDS = Fraction(1, 2)
"""A file without a frame count is called cut short if it ends too early by more seconds than this."""


class StageTimer:
    """Seconds spent in each stage of the pipeline, summed over all threads.

    Stages are nested generators. In each thread, time counts for the innermost stage that is running there.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds: dict[str, float] = {}
        self._lock, self._clock = threading.Lock(), clock
        self._stack = _StageStack(clock)

    def enter(self, stage: str | None) -> None:
        """Counts this thread's time for `stage` until `leave`; None: for no stage."""
        self._book()
        self._stack.names.append(stage)

    def leave(self) -> None:
        """Ends what the last `enter` started."""
        self._book()
        self._stack.names.pop()

    def timed(self, stage: str | None, items: Iterable[T]) -> Iterator[T]:
        """`items`; the time of computing each of them counts for `stage`."""
        iterator = iter(items)
        while True:
            self.enter(stage)
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.leave()
            yield item

    def untimed(self, items: Iterable[T]) -> Iterator[T]:
        """`items` from another thread; the time of waiting for them counts for no stage."""
        return self.timed(None, items)

    def _book(self) -> None:
        stack, now = self._stack, self._clock()
        stage = stack.names[-1] if stack.names else None
        if stage is not None:
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + now - stack.since
        stack.since = now


class _StageStack(threading.local):
    """The stages that run in a thread, outermost first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.names: list[str | None] = []
        self.since = clock()


class DrawnCounts:
    """The share of drawn detail of each track, so far.

    The sums are integers, so that they do not depend on segments or on the order of addition.
    """

    _UNIT = 1e-6

    def __init__(self) -> None:
        self._tracks: dict[int, tuple[int, int, int]] = {}
        """Frames, and the sum and the maximum of shares in millionths."""

    def add(self, frame: Frame, faces: Iterable[RestoredFace]) -> None:
        """Counts the faces of a frame. The second field of an interlaced frame is not counted."""
        if not frame.second_field:
            for face in faces:
                share = round(face.drawn / self._UNIT)
                self._merge(face.track_id, (1, share, share))

    def merge(self, values: Mapping[str, Sequence[int]]) -> None:
        """Adds the result of `to_dict` of another object."""
        for track, (frames, total, maximum) in values.items():
            self._merge(int(track), (frames, total, maximum))

    def to_dict(self) -> dict[str, list[int]]:
        """Values for JSON: for each track the frames, and the sum and maximum in millionths."""
        return {str(track): list(counts) for track, counts in self._tracks.items()}

    def shares(self) -> tuple[DrawnShare, ...]:
        """The shares of all tracks, in the order of their numbers."""
        return tuple(
            DrawnShare(
                track=track,
                frames=frames,
                mean=round(total / frames * self._UNIT, 4),
                maximum=round(maximum * self._UNIT, 4),
            )
            for track, (frames, total, maximum) in sorted(self._tracks.items())
        )

    def _merge(self, track: int, counts: tuple[int, int, int]) -> None:
        frames, total, maximum = self._tracks.get(track, (0, 0, 0))
        self._tracks[track] = (frames + counts[0], total + counts[1], max(maximum, counts[2]))


@dataclass(slots=True)
class RunStats:
    """The counts of a run while a video is being restored."""

    total: int | None
    strict: bool
    on_progress: ProgressCallback | None
    timer: StageTimer = field(default_factory=StageTimer)
    started: float = field(default_factory=time.monotonic)
    frames: int = 0
    frames_with_faces: int = 0
    faces: int = 0
    lost: int = 0
    concealed: int = 0
    missing: int = 0
    """Frames that are missing at the end, according to the container's count or duration."""
    first_seconds: Fraction | None = None
    """Time of the first frame."""
    end_seconds: Fraction = Fraction(0)
    """End of the last frame."""
    first_changes: dict[ChangeKind, float] = field(default_factory=dict)
    """Time of the first frame that differs in this from the first frame of all [s]."""
    resumed_frames: int = 0
    """The frames that an earlier run had written; `frames` includes them."""
    tracks: set[int] = field(default_factory=set)
    drawn: DrawnCounts = field(default_factory=DrawnCounts)

    def add_lost_frame(self) -> None:
        """Counts a frame that cannot be decoded. Raises DamagedInputError if `strict` is set."""
        self.lost += 1
        self._raise_if_strict("a frame of the input cannot be decoded")

    def add_concealed_frame(self) -> None:
        """Counts a damaged frame. Raises DamagedInputError if `strict` is set."""
        self.concealed += 1
        self._raise_if_strict("a frame of the input is damaged")

    def check_recorded_damage(self, frames: int) -> None:
        """Raises DamagedInputError if an earlier run found damaged frames, and `strict` is set."""
        if frames:
            self._raise_if_strict(f"{frames} frames of the input are damaged, as the earlier run found")

    def check_missing_frames(self, info: VideoInfo, other_streams_end: Fraction | None) -> None:
        """Counts the frames that are missing after the last one.

        Args:
            info: The input.
            other_streams_end: End of the last packet of all other streams [s]; None: there are none.

        Raises:
            DamagedInputError: Frames are missing, and `strict` is set.
        """
        if info.is_counted:
            self.missing = max((info.frame_count or 0) - self.frames, 0)
        elif info.duration is not None and self.first_seconds is not None:
            # A duration is that of the longest stream. It starts at the first frame, or at 0 in Matroska, and
            # is often slightly wrong.
            ends = max(self.end_seconds, other_streams_end or Fraction(0))
            short = info.duration - max(ends, ends - self.first_seconds)
            if short > max(_MIN_MISSING_SECONDS, info.duration / 100):
                self.missing = round(short * info.frame_rate)
        if self.missing:
            self._raise_if_strict(
                f"the input lacks {self.missing} of its {self.frames + self.missing} frames"
            )

    def _raise_if_strict(self, what: str) -> None:
        if self.strict:
            raise DamagedInputError(f"{what}; leave out --strict to restore the readable part")

    def count_faces(self, items: Iterable[FrameFaces[TrackedFace]]) -> Iterator[FrameFaces[TrackedFace]]:
        """`items`, with their faces and tracks counted."""
        for item in items:
            self.tracks.update(face.track_id for face in item.faces)
            self.frames_with_faces += bool(item.faces) and not item.frame.second_field
            yield item

    def note_changes(self, frame: Frame) -> None:
        """Stores the time of the first frame with another shape, sample format or colours."""
        differs: dict[ChangeKind, bool] = {
            "shape": frame.is_fitted,
            "format": frame.is_converted,
            "colour": frame.has_other_colour,
        }
        for kind, is_other in differs.items():
            if is_other:
                self.first_changes.setdefault(kind, frame.seconds)

    def report_stage(self, stage: Stage, frames: int | None = None) -> None:
        """Reports progress.

        Args:
            stage: The current stage of the run.
            frames: Frames that this stage has processed; None: frames written.

        Raises:
            CancelledError: The caller has ended the run.
        """
        check_cancelled()
        if self.on_progress is not None:
            self.on_progress(
                Progress(
                    frames=self.frames if frames is None else frames,
                    total=self.total,
                    faces=self.faces,
                    seconds=time.monotonic() - self.started,
                    resumed_frames=self.resumed_frames,
                    stage=stage,
                )
            )

    def add_written_frame(self, frame: Frame) -> None:
        """Counts a frame and reports progress. Raises CancelledError if the caller has ended the run."""
        self.note_changes(frame)
        self.frames += 1
        self.first_seconds = frame.pts * frame.time_base if self.first_seconds is None else self.first_seconds
        self.end_seconds = (frame.pts + frame.duration) * frame.time_base
        self.report_stage("restoring")

    def report(self, target: Path, warnings: tuple[str, ...]) -> Report:
        """The report of the finished run. `target` is its output; `warnings` follow that about damage."""
        lost = self.lost + self.missing
        damage = []
        if self.lost:
            damage.append(f"{self.lost} of {self.frames} frames could not be decoded")
        if self.missing:
            damage.append(
                f"{self.missing} of {self.frames + self.missing} frames are missing at the end: the input "
                "was cut short"
            )
        if self.concealed:
            damage.append(f"{self.concealed} of {self.frames} frames are damaged in part")
        if damage:
            warnings = (" and ".join(damage), *warnings)
        return Report(
            output=target,
            frames=self.frames,
            frames_with_faces=self.frames_with_faces,
            faces=self.faces,
            tracks=len(self.tracks),
            lost_frames=lost,
            seconds=time.monotonic() - self.started,
            seconds_by_stage=dict(self.timer.seconds),
            warnings=warnings,
            concealed_frames=self.concealed,
            drawn=self.drawn.shares(),
            resumed_frames=self.resumed_frames,
        )


def report_opening(on_progress: ProgressCallback | None) -> None:
    """Reports the stage `opening`, before anything is known about the input."""
    if on_progress is not None:
        on_progress(Progress(frames=0, total=None, faces=0, seconds=0.0, stage="opening"))


def mostly_drawn(shares: Iterable[DrawnShare]) -> tuple[DrawnShare, ...]:
    """The tracks with a mean share above `MOSTLY_DRAWN`: they show a likely face, not evidence."""
    return tuple(share for share in shares if share.mean > MOSTLY_DRAWN)


def report_to_dict(report: Report) -> dict[str, Any]:
    """Plain values for JSON."""
    return {**asdict(report), "output": str(report.output)}


def report_from_dict(values: Mapping[str, Any], output: Path) -> Report:
    """The report from the result of `report_to_dict`.

    Args:
        values: The result of `report_to_dict`.
        output: The current path of the output.


    Raises:
        TypeError, KeyError, ValueError: `values` are not those of a report.
    """
    drawn = tuple(DrawnShare(**share) for share in values["drawn"])
    texts = {name: tuple(values.get(name, ())) for name in ("warnings", "people")}
    return Report(**{**values, **texts, "output": output, "drawn": drawn})
