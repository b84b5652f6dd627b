"""Schedules the work on a long video: the analysis runs ahead, segments follow, the journal records both."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from vidrestore.detection import make_detector
from vidrestore.errors import InputError, OutputError
from vidrestore.jobs import first_pass
from vidrestore.jobs.disk_space import check_remaining_space
from vidrestore.jobs.engines.protocol import Engine, Event, TaskDone, TaskFailed, WorkerLost
from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.jobs.journal import Journal, Segment
from vidrestore.jobs.segment_plan import SegmentPlanner, Span
from vidrestore.jobs.segment_task import SegmentDone, SegmentTask, context_frames, required_records
from vidrestore.jobs.segmented_job import SegmentedJob
from vidrestore.report import RunStats
from vidrestore.run_warnings import no_frames_decoded_message
from vidrestore.runtime.cancellation import check_cancelled
from vidrestore.types import Progress

_SAVE_EVERY_SECONDS = 2.0
_SAVE_EVERY_FRAMES = 500
_CHANGES = "first changes"
"""The key of `RunStats.first_changes` in the journal, because a resumed run cannot measure them again."""


class SegmentScheduler:
    """Restores all segments of a video with an engine; finished ones in the journal are not repeated."""

    def __init__(self, job: SegmentedJob, journal: Journal, stats: RunStats) -> None:
        self.warnings: list[str] = []
        """Warnings for the user."""
        self._job, self._journal, self._stats = job, journal, stats
        self._context = context_frames(job.settings) + 1  # deinterlacing looks one frame further
        self._buffer: list[FrameRecord] = []
        self._checkpoint: first_pass.AnalysisCheckpoint | None = None
        self._last_saved = time.monotonic()
        self._frames_done: dict[int, int] = {}
        """Number of restored frames by segment, of finished and running ones."""
        self._faces: dict[int, float] = {}
        """Mean number of faces per frame, by segment."""
        self._lost_workers = 0

    def run(self, engine: Engine) -> None:
        """Returns when all segments are finished.

        Raises:
            VidrestoreError: One of its subclasses. Work finished by then is in the journal.
        """
        self._load_finished_segments()
        self._stats.first_changes.update(json.loads(self._journal.about().get(_CHANGES, "{}")))
        with closing(self._spans(engine)) as spans:
            for span in spans:
                while not engine.has_capacity:
                    self._process_events(engine, wait=True)
                engine.submit(self._task(span))
                self._process_events(engine, wait=False)
        while not engine.is_idle:
            self._process_events(engine, wait=True)
        if self._lost_workers:
            times = "once" if self._lost_workers == 1 else f"{self._lost_workers} times"
            self.warnings.append(f"a worker was lost {times}; its work was repeated")
        self._fill_statistics()

    def _load_finished_segments(self) -> None:
        """Keeps complete parts of an earlier run and removes everything else."""
        finished_files = set()
        for segment in self._journal.segments():
            self._count_faces(segment.span)
            if segment.file is None:
                continue
            if self._job.parts.holds(segment):
                finished_files.add(segment.file)
                self._frames_done[segment.span.number] = segment.span.frames
            else:
                self._journal.segment_undone(segment)
        self._job.parts.remove_unfinished(finished_files)
        self._stats.resumed_frames = sum(self._frames_done.values())
        if self._stats.resumed_frames:
            self._report_progress()

    def _spans(self, engine: Engine) -> Generator[Span]:
        """The segments to restore: first those planned by an earlier run, then new ones from the analysis."""
        planned = [segment.span for segment in self._journal.segments()]
        begin = self._journal.checkpoint()
        ended = self._journal.analysed_frames()
        frames = ended if ended is not None else begin.frame if begin is not None else 0
        self._journal.check_records(frames)
        yield from (span for span in planned if span.number not in self._frames_done)
        info = self._job.info
        planner = SegmentPlanner(self._job.seconds, info.frame_rate, context=self._context, begin=planned)
        for record in self._journal.records(planner.first, frames):
            yield from self._record_plan(planner.add(record))
        if ended is None:
            with closing(self._records(begin)) as records:
                for record in self._stats.timer.timed("analysis", records):
                    self._buffer.append(record)
                    if record.fingerprint.index >= planner.first:
                        yield from self._record_plan(planner.add(record))
                    frames = max(frames, record.fingerprint.index + 1)
                    self._save_periodically()
                    self._report_analysis(frames)
                    self._process_events(engine, wait=False)
        if not frames:
            raise InputError(no_frames_decoded_message(self._job.video_input.path, self._job.settings))
        self._stats.total = frames
        last = planner.end(frames)
        self._save(last, ended=frames)
        for span in last:
            yield from self._record_plan(span, note=False)

    def _record_plan(self, span: Span | None, *, note: bool = True) -> Iterator[Span]:
        if span is not None:
            if note:
                self._save([span])
            self._count_faces(span)
            yield span

    def _records(self, begin: first_pass.AnalysisCheckpoint | None) -> Generator[FrameRecord]:
        job = self._job
        context = (
            [
                r.fingerprint
                for r in self._journal.records(max(begin.frame - first_pass.CONTEXT, 0), begin.frame)
            ]
            if begin is not None
            else []
        )

        def save_checkpoint(checkpoint: first_pass.AnalysisCheckpoint) -> None:
            self._checkpoint = checkpoint

        return first_pass.analyse(
            job.video_input,
            job.info,
            job.field_processing,
            job.settings,
            make_detector(job.settings.detector, job.settings.device, min_face=job.settings.min_face),
            on_loss=self._stats.add_lost_frame,
            on_frame=self._stats.note_changes,
            on_checkpoint=save_checkpoint,
            begin=begin,
            context=context,
        )

    def _save_periodically(self) -> None:
        late = self._checkpoint is not None and time.monotonic() - self._last_saved > _SAVE_EVERY_SECONDS
        if late or len(self._buffer) >= _SAVE_EVERY_FRAMES:
            self._save([])

    def _save(self, spans: list[Span], ended: int | None = None) -> None:
        self._journal.add(self._buffer, spans, self._checkpoint, ended)
        if (changes := json.dumps(self._stats.first_changes)) != self._journal.about().get(_CHANGES, "{}"):
            self._journal.note(**{_CHANGES: changes})
        self._buffer, self._checkpoint, self._last_saved = [], None, time.monotonic()

    def _task(self, span: Span) -> SegmentTask:
        job = self._job
        records = self._journal.records(max(span.first - self._context, 0), span.stop + self._context)
        return SegmentTask(
            span=span,
            records=required_records(span, records, job.field_processing),
            opened=job.opened,
            settings=job.settings,
            output=job.output,
            folder=job.parts.path,
        )

    def _process_events(self, engine: Engine, *, wait: bool) -> None:
        check_cancelled()
        for event in engine.events(wait=wait):
            self._handle_event(event)
            self._report_progress()

    def _handle_event(self, event: Event) -> None:
        if isinstance(event, TaskFailed):
            raise event.error
        if isinstance(event, WorkerLost):
            self._frames_done.pop(event.number, None)
            self._lost_workers += 1
        elif isinstance(event, TaskDone):
            self._handle_segment_done(event.result)
        else:
            self._frames_done[event.number] = event.frames

    def _handle_segment_done(self, done: Any) -> None:
        assert isinstance(done, SegmentDone)
        if not (self._job.parts.path / done.file).is_file():
            raise OutputError(
                f"the folder {self._job.parts.path} no longer exists or is not the same for all workers; "
                "restore it and run the same command again"
            )
        self._journal.segment_done(
            Segment(
                span=done.span,
                file=done.file,
                bytes=done.bytes,
                crc=done.crc,
                stage_seconds=json.dumps(done.seconds_by_stage),
                drawn=json.dumps(done.drawn),
            )
        )
        self._frames_done[done.span.number] = done.span.frames
        written = [segment for segment in self._journal.segments() if segment.file is not None]
        frames = sum(segment.span.frames for segment in written)
        check_remaining_space(
            self._job.parts.path,
            self._job.output,
            written=sum(segment.bytes for segment in written),
            done=frames,
            total=max(self._stats.total or 0, frames),
        )

    def _count_faces(self, span: Span) -> None:
        moments = 2 if self._job.field_processing.method == "fields" else 1
        faces = self._journal.faces_between(span.first, span.stop) / moments
        self._faces[span.number] = faces / span.frames

    def _report_analysis(self, frames: int) -> None:
        """Reports the analysis as progress until the first segment is running."""
        if not self._frames_done:
            self._stats.report_stage("analysing", frames)

    def _report_progress(self) -> None:
        if self._stats.on_progress is None:
            return
        faces = sum(frames * self._faces[number] for number, frames in self._frames_done.items())
        self._stats.on_progress(
            Progress(
                frames=sum(self._frames_done.values()),
                total=self._stats.total,
                faces=round(faces),
                seconds=time.monotonic() - self._stats.started,
                resumed_frames=self._stats.resumed_frames,
            )
        )

    def _fill_statistics(self) -> None:
        """Sets the statistics of the whole video, including the work of earlier runs."""
        totals, stats, base = self._journal.totals(), self._stats, self._job.info.time_base
        if totals.frames != stats.total:
            raise self._journal.damaged()
        stats.frames, stats.frames_with_faces, stats.faces = totals.frames, totals.with_faces, totals.faces
        stats.tracks, stats.lost, stats.concealed = set(totals.tracks), totals.lost, totals.concealed
        stats.drawn = self._journal.drawn()
        for record in self._journal.records(0, 1):
            stats.first_seconds = record.fingerprint.pts * base
        for record in self._journal.records(totals.frames - 1, totals.frames):
            stats.end_seconds = (record.fingerprint.pts + record.fingerprint.duration) * base
