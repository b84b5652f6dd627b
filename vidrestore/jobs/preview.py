"""Frames of a video as a run would restore them, without the run: to look before hours of work.

A restored frame depends on the faces that are tracked through its scene, and on its neighbours. So the video
is analysed from the beginning (or from `start`) to the frame, which is cheap, and then only the frame and its
neighbours are restored, as in a segment. What comes out is the frame of a run with the same settings.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidrestore.errors import InputError, UsageError
from vidrestore.jobs.first_pass import analyse
from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.jobs.people import settle
from vidrestore.jobs.reread_faces import reread, tracked_again
from vidrestore.jobs.segment_plan import Span
from vidrestore.jobs.segment_task import context_frames, required_records, restorer_for
from vidrestore.pipeline import open_input_video, restore_tracked_faces
from vidrestore.report import RunStats
from vidrestore.runtime.cancellation import check_cancelled
from vidrestore.settings import Fidelity, Grain, Settings
from vidrestore.sidecar import FaceTreatment, Sidecar
from vidrestore.types import (
    Frame,
    FrameFaces,
    Progress,
    ProgressCallback,
    RestoredFace,
    TrackedFace,
    VideoInfo,
)
from vidrestore.video import OpenedVideo, tick_at

MAX_TIMES = 64
MAX_VARIANTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The settings that a preview compares."""

    fidelity: Fidelity
    strength: float
    grain: Grain


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewCell:
    """The frame with one variant of the settings."""

    variant: Variant
    after: Frame = field(repr=False)
    drawn: float
    """Mean share of the faces' detail that was drawn, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One frame, before and after."""

    at: float
    """The time that was asked for, seconds from the video's first frame."""
    index: int
    """Of the frame, from 0, in the part that a run with the same settings reads."""
    before: Frame = field(repr=False)
    faces: tuple[TrackedFace, ...]
    """Those that are restored."""
    cells: tuple[PreviewCell, ...]
    """In the order of the variants."""


def preview_video(
    source: Path,
    times: Sequence[float],
    settings: Settings,
    variants: Sequence[Variant] = (),
    on_progress: ProgressCallback | None = None,
) -> tuple[Preview, ...]:
    """The frames that are shown at `times`, restored as `restore_file` does with the same settings.

    Args:
        source: A file or a sequence of pictures.
        times: Seconds from the video's first frame.
        settings: How it is restored.
        variants: To compare; none: the settings' own.
        on_progress: Called while the video is analysed up to the last of the times.

    Returns:
        A preview for each time, in the order given; each has a cell for each variant.

    Raises:
        UsageError: there are no times, too many of them, or too many variants; `source` is a pipe.
        InputError: the video cannot be read, or has no frame at one of the times.
    """
    variants = tuple(variants) or (own_variant(settings),)
    _check(source, times, variants)
    settings, _ = settle(source, settings, on_progress)
    opened = open_input_video(source, settings)
    moments = _find_moments(opened, times, settings, on_progress)
    cells: dict[float, dict[Variant, PreviewCell]] = {moment.at: {} for moment in moments}
    befores: dict[float, Frame] = {}
    for fidelity in dict.fromkeys(variant.fidelity for variant in variants):
        alike = [variant for variant in variants if variant.fidelity == fidelity]
        for moment in moments:
            items = _restored_items(moment, opened, settings.model_copy(update={"fidelity": fidelity}))
            befores[moment.at] = _merged(opened, [item.frame for item in items])
            for variant in alike:
                cells[moment.at][variant] = _cell(opened, items, variant, settings.sidecar)
    by_time = {
        moment.at: Preview(
            at=moment.at,
            index=moment.index,
            before=befores[moment.at],
            faces=moment.faces,
            cells=tuple(cells[moment.at][variant] for variant in variants),
        )
        for moment in moments
    }
    return tuple(by_time[at] for at in times)


def own_variant(settings: Settings) -> Variant:
    """The variant that the settings themselves are."""
    return Variant(fidelity=settings.fidelity, strength=settings.strength, grain=settings.grain)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """A frame to show, and the records that its result depends on."""

    at: float
    index: int
    records: tuple[FrameRecord, ...]

    @property
    def faces(self) -> tuple[TrackedFace, ...]:
        return self._record.faces[0]

    @property
    def scenes(self) -> tuple[int, ...]:
        """Of each field where fields are restored."""
        return self._record.scenes

    @property
    def _record(self) -> FrameRecord:
        return next(r for r in self.records if r.fingerprint.index == self.index)


def _check(source: Path, times: Sequence[float], variants: Sequence[Variant]) -> None:
    if str(source) == "-":
        raise UsageError("a preview reads its input twice, which a pipe cannot be; give a file")
    if not 0 < len(times) <= MAX_TIMES:
        raise UsageError(f"a preview shows 1 to {MAX_TIMES} times, got {len(times)}")
    if len(variants) > MAX_VARIANTS:
        raise UsageError(f"a preview compares at most {MAX_VARIANTS} variants, got {len(variants)}")


def _find_moments(
    opened: OpenedVideo, times: Sequence[float], settings: Settings, on_progress: ProgressCallback | None
) -> list[_Moment]:
    """The moments of the times, without repetition; analyses the video no further than they need."""
    from vidrestore.detection import make_detector

    wanted = deque(sorted({(tick_at(opened.input, opened.info, at), at) for at in times}))
    context = context_frames(settings) + 1
    recent: deque[FrameRecord] = deque(maxlen=2 * context + 2)
    found: list[tuple[float, int]] = []
    moments: list[_Moment] = []
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
                continue  # frames that are lost behind the last one
            while wanted and pts > wanted[0][0] and recent:
                found.append((wanted.popleft()[1], recent[-1].fingerprint.index))
            recent.append(record)
            while found and index >= found[0][1] + context:
                moments.append(_moment(*found.pop(0), recent, opened))
            if on_progress is not None:
                seconds = time.monotonic() - started
                on_progress(
                    Progress(frames=index + 1, total=total, faces=0, seconds=seconds, stage="analysing")
                )
            if not wanted and not found:
                return moments
    return moments + _last_moments(found, wanted, recent, opened)


def _expected_frames(info: VideoInfo, settings: Settings, times: Sequence[float], context: int) -> int:
    """How many frames are analysed, about."""
    begin = settings.time_range(info.frame_rate)["start"] or 0.0
    return max(round((max(times) - begin) * info.frame_rate) + context, 1)


def _last_moments(
    found: list[tuple[float, int]],
    wanted: deque[tuple[int, float]],
    recent: deque[FrameRecord],
    opened: OpenedVideo,
) -> list[_Moment]:
    """Those that were not complete when the video ended. Raises InputError for times behind its end."""
    info = opened.info
    if not recent:
        raise InputError(f"no frame of {info.path} could be decoded: the file is damaged or cut short")
    last = recent[-1].fingerprint
    shown_until = last.pts + max(last.duration, round(1 / info.frame_rate / info.time_base))
    for tick, at in wanted:
        if tick > shown_until:
            earlier = float((tick - last.pts) * info.time_base)
            raise InputError(
                f"{info.path} has no frame at {at:g} s: its last one is {earlier:.2f} s earlier; choose an "
                "earlier time"
            )
        found.append((at, last.index))
    return [_moment(at, index, recent, opened) for at, index in found]


def _moment(at: float, index: int, recent: deque[FrameRecord], opened: OpenedVideo) -> _Moment:
    span = Span(number=0, first=index, stop=index + 1)
    return _Moment(at=at, index=index, records=required_records(span, recent, opened.field_processing))


def _restored_items(
    moment: _Moment, opened: OpenedVideo, settings: Settings
) -> list[FrameFaces[RestoredFace]]:
    """The frame as it was read with its restored faces; of an interlaced one both moments."""
    originals: dict[bool, Frame] = {}

    def remember(items: Iterator[FrameFaces[TrackedFace]]) -> Iterator[FrameFaces[TrackedFace]]:
        for item in items:
            if item.frame.index == moment.index:
                originals[item.frame.second_field] = item.frame
            yield item

    restorer = restorer_for(settings.model, settings.device, settings.network_fidelity)
    stats = RunStats(total=None, strict=False, on_progress=None)
    result: list[FrameFaces[RestoredFace]] = []
    with (
        reread(opened, moment.records) as frames,
        closing(
            restore_tracked_faces(
                remember(tracked_again(frames, moment.records)), restorer, opened.info, settings, stats
            )
        ) as restored,
    ):
        for frame, faces in restored:
            if frame.index == moment.index:
                scene = moment.scenes[int(frame.second_field)]
                result.append(FrameFaces(frame=originals[frame.second_field], faces=faces, scene=scene))
    return result


def _cell(
    opened: OpenedVideo, items: list[FrameFaces[RestoredFace]], variant: Variant, sidecar: Sidecar | None
) -> PreviewCell:
    from vidrestore.faces.compositing import composite

    usual = FaceTreatment(strength=variant.strength, fidelity=variant.fidelity, grain=variant.grain)
    frames = []
    for item in items:
        if sidecar is not None:
            treated = (
                replace(face, treatment=sidecar.treatment(item.scene, face.track_id, usual))
                for face in item.faces
            )
            item = replace(item, faces=tuple(treated))
        frames.append(composite(item, strength=variant.strength, grain=variant.grain))
    drawn = [face.drawn for item in items for face in item.faces]
    return PreviewCell(
        variant=variant,
        after=_merged(opened, frames),
        drawn=sum(drawn) / len(drawn) if drawn else 0.0,
    )


def _merged(opened: OpenedVideo, frames: list[Frame]) -> Frame:
    """The frame of its moments."""
    (frame,) = opened.field_processing.merge_fields(frames)
    return frame
