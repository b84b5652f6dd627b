"""restore_video: open, wire the rooms in order, run, report. The only place that knows the order.

path ─video─▶ Frame ─detection─▶ Detection ─tracking─▶ TrackedFace ─alignment─▶ AlignedFace
     ─restoration─▶ RestoredFace ─compositing─▶ Frame ─video─▶ file
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vidrestore.errors import DamagedInputError, InputError
from vidrestore.settings import Settings
from vidrestore.types import (
    Frame,
    FrameFaces,
    Progress,
    ProgressCallback,
    Report,
    TrackedFace,
    VideoInfo,
)

if TYPE_CHECKING:
    from vidrestore.video import Input

logger = logging.getLogger(__name__)
T = TypeVar("T")

DECODED_AHEAD_BYTES = 128 * 2**20
HELD_BYTES = 192 * 2**20
"""Of frames that wait for a batch to fill, before encoding and again before decoding."""
MAX_HELD = 32
CPU_BATCH, GPU_BATCH = 4, 32
_LEAST_SHORT = Fraction(1, 2)
"""Seconds by which a file that states no count must end too early to be called cut short."""


def restore_video(
    source: Path, target: Path, settings: Settings, on_progress: ProgressCallback | None = None
) -> Report:
    """Restore the faces of the video at `source` into a new file at `target`.

    Memory does not grow with the length of the video. `on_progress` is called after each written frame.
    Raises a VidrestoreError for what the user can cause or fix; then no output is left behind.
    """
    from vidrestore import video

    video.check_paths(source, target, settings.overwrite, settings.container)
    given = video.open_input(source, **settings.about_input())
    info = video.probe(given)
    run = _Run(total=_expected_frames(info, settings), strict=settings.strict, on_progress=on_progress)
    with video.make_writer(
        target,
        info,
        source=given,
        container=settings.container,
        codec=settings.codec,
        crf=settings.crf,
        preset=settings.preset,
        overwrite=settings.overwrite,
        width=info.width * 2 if settings.compare == "side-by-side" else None,
        start=settings.start,
        end=settings.end,
    ) as writer:
        for frame in _restored_frames(given, info, settings, run):
            run.clock.enter("encoding")
            writer.write(frame)
            run.clock.leave()
            run.frame_written(frame)
        if run.frames == 0:
            raise InputError(_nothing_decoded(source, settings))
        if settings.start is None and settings.end is None:
            run.check_end(info, writer.beside_until)
    return run.report(target, tuple(writer.warnings))


def _restored_frames(source: Input, info: VideoInfo, settings: Settings, run: _Run) -> Iterator[Frame]:
    """The pipeline itself, lazily."""
    from vidrestore.alignment import align
    from vidrestore.compositing import composite, side_by_side
    from vidrestore.detection import detect, make_detector
    from vidrestore.restoration import TemporalBlend, deflicker, make_restorer, restore
    from vidrestore.streaming import Prefetch
    from vidrestore.tracking import choose, track
    from vidrestore.video import read_frames
    from vidrestore.weights import model_path

    clock = run.clock
    clock.enter("loading")
    restorer = make_restorer(model_path(settings.model), device=settings.device, fidelity=settings.fidelity)
    detector = make_detector(settings.detector, settings.device)
    clock.leave()
    batch = settings.batch or (CPU_BATCH if restorer.device.type == "cpu" else GPU_BATCH)
    decoded = read_frames(
        source,
        info,
        start=settings.start,
        end=settings.end,
        on_lost=run.frame_lost,
        on_concealed=run.frame_concealed,
    )
    with Prefetch(
        decoded,
        items=64,
        max_bytes=DECODED_AHEAD_BYTES,
        size_of=_frame_bytes,
        interrupt=source.interrupt,
    ) as frames:
        found = detect(clock.timed("decoding", frames), detector, min_face=settings.min_face)
        tracked = run.counted(choose(track(clock.timed("detection", found)), settings.faces))
        aligned = align(clock.timed("tracking", tracked), restorer.size)
        if settings.deflicker:
            aligned = deflicker(aligned)
        restored = restore(
            clock.timed("alignment", aligned),
            restorer,
            TemporalBlend(strength=settings.temporal),
            batch=batch,
            max_frames=held_frames(info),
        )
        for item in clock.timed("restoration", restored):
            (frame,) = clock.timed("compositing", composite([item], strength=settings.strength))
            run.faces += len(item.faces)
            if settings.compare == "side-by-side":
                frame = side_by_side(item.frame, frame)
            yield frame


def held_frames(info: VideoInfo) -> int:
    """How many frames may wait for a batch to fill: `MAX_HELD`, or what `HELD_BYTES` hold of large ones."""
    shift_x, shift_y = info.pixel_format.chroma_shift
    chroma = 0.0 if info.pixel_format.family == "gray" else 2.0 / (1 << (shift_x + shift_y))
    samples = info.width * info.height * (1 + chroma + info.pixel_format.has_alpha)
    frame_bytes = samples * (2 if info.pixel_format.bit_depth > 8 else 1)
    return max(1, min(MAX_HELD, int(HELD_BYTES / frame_bytes)))


@dataclass(slots=True)
class _Clock:
    """Seconds by room. Rooms are nested generators: time is booked on the innermost one that is running."""

    seconds: dict[str, float] = field(default_factory=dict)
    _rooms: list[str] = field(default_factory=list)
    _since: float = field(default_factory=time.monotonic)

    def enter(self, room: str) -> None:
        self._book()
        self._rooms.append(room)

    def leave(self) -> None:
        self._book()
        self._rooms.pop()

    def timed(self, room: str, items: Iterable[T]) -> Iterator[T]:
        """`items`, with the time that making each takes booked on `room`."""
        iterator = iter(items)
        while True:
            self.enter(room)
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.leave()
            yield item

    def _book(self) -> None:
        now = time.monotonic()
        if self._rooms:
            self.seconds[self._rooms[-1]] = self.seconds.get(self._rooms[-1], 0.0) + now - self._since
        self._since = now


@dataclass(slots=True)
class _Run:
    """What is counted while a video is restored."""

    total: int | None
    strict: bool
    on_progress: ProgressCallback | None
    clock: _Clock = field(default_factory=_Clock)
    began: float = field(default_factory=time.monotonic)
    frames: int = 0
    frames_with_faces: int = 0
    faces: int = 0
    lost: int = 0
    concealed: int = 0
    missing: int = 0
    """Frames behind the end of what there is, by the container's count or duration."""
    first: Fraction | None = None
    """Seconds: when the first frame is shown."""
    until: Fraction = Fraction(0)
    """Seconds: till when the last frame is shown."""
    tracks: set[int] = field(default_factory=set)

    def frame_lost(self) -> None:
        self.lost += 1
        self._refuse("a frame of the input cannot be decoded")

    def frame_concealed(self) -> None:
        self.concealed += 1
        self._refuse("a frame of the input is damaged")

    def check_end(self, info: VideoInfo, beside_until: Fraction | None) -> None:
        """Notes what is missing behind the last frame; `beside_until`: seconds at which sound and all end."""
        if info.is_counted:
            self.missing = max((info.frame_count or 0) - self.frames, 0)
        elif info.duration is not None and self.first is not None:
            # A duration is that of the longest stream, counted from the first frame or, by Matroska, from 0,
            # and often a little wrong.
            ends = max(self.until, beside_until or Fraction(0))
            short = info.duration - max(ends, ends - self.first)
            if short > max(_LEAST_SHORT, info.duration / 100):
                self.missing = round(short * info.frame_rate)
        if self.missing:
            self._refuse(f"the input lacks {self.missing} of its {self.frames + self.missing} frames")

    def _refuse(self, what: str) -> None:
        if self.strict:
            raise DamagedInputError(f"{what}; leave --strict out to restore what there is")

    def counted(self, items: Iterable[FrameFaces[TrackedFace]]) -> Iterator[FrameFaces[TrackedFace]]:
        for item in items:
            self.tracks.update(face.track_id for face in item.faces)
            self.frames_with_faces += bool(item.faces)
            yield item

    def frame_written(self, frame: Frame) -> None:
        self.frames += 1
        self.first = frame.pts * frame.time_base if self.first is None else self.first
        self.until = (frame.pts + frame.duration) * frame.time_base
        if self.on_progress is not None:
            elapsed = time.monotonic() - self.began
            self.on_progress(
                Progress(frames=self.frames, total=self.total, faces=self.faces, seconds=elapsed)
            )

    def report(self, target: Path, warnings: tuple[str, ...]) -> Report:
        lost = self.lost + self.missing
        damage = []
        if lost:
            damage.append(f"{lost} of {self.frames + self.missing} frames could not be decoded")
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
            seconds=time.monotonic() - self.began,
            seconds_by_room=dict(self.clock.seconds),
            warnings=warnings,
            concealed_frames=self.concealed,
        )


def _frame_bytes(frame: Frame) -> int:
    return sum(plane.nbytes for plane in frame.planes)


def _expected_frames(info: VideoInfo, settings: Settings) -> int | None:
    if settings.start is None and settings.end is None:
        return info.frame_count
    if info.duration is None and settings.end is None:
        return None
    end = float(info.duration) if info.duration is not None else float(settings.end or 0)
    end = min(end, settings.end) if settings.end is not None else end
    return max(round((end - (settings.start or 0.0)) * float(info.frame_rate)), 0)


def _nothing_decoded(source: Path, settings: Settings) -> str:
    if settings.start is not None:
        return f"{source} has no frames after {settings.start:g} s; choose an earlier --start"
    return f"no frame of {source} could be decoded: the file is damaged or cut short"
