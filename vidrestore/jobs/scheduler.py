"""The work on a film: its analysis runs ahead, segments follow it, the journal notes what is done."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidrestore import video
from vidrestore.detection import make_detector
from vidrestore.errors import InputError, OutputError
from vidrestore.jobs import first_pass
from vidrestore.jobs.disk_space import check_while
from vidrestore.jobs.engines.protocol import Done, Engine, Event, Failed, Lost
from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.jobs.journal import Journal
from vidrestore.jobs.segment_plan import Planner, Span
from vidrestore.jobs.segment_task import SegmentDone, SegmentTask, context_frames, needed
from vidrestore.pipeline import nothing_decoded
from vidrestore.report import RunStats
from vidrestore.settings import Settings
from vidrestore.types import Progress, VideoInfo

_NOTE_EVERY_SECONDS = 2.0
_NOTE_EVERY_FRAMES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """A video that is restored in segments. Paths are absolute: workers may be anywhere."""

    video_input: video.Input
    info: VideoInfo
    field_processing: video.FieldProcessing
    settings: Settings
    output: Path
    folder: Path
    """Where its parts are."""
    size: tuple[int, int]
    """Coded width and height of the output."""
    seconds: float
    """Of a segment."""

    def writer(self, path: Path) -> video.VideoWriter:
        """The writer of the whole, to `path`."""
        settings = self.settings
        writer = video.make_writer(
            path,
            replace(self.info, field_order=self.field_processing.output),
            source=self.video_input,
            width=self.size[0],
            height=self.size[1],
            end=settings.end,
            overwrite=settings.overwrite or path != self.output,
            **settings.encoding_options(),
        )
        assert isinstance(writer, video.VideoWriter)
        return writer


class Segments:
    """Brings a film's segments about with an engine, going on from what the journal holds."""

    def __init__(self, film: Film, journal: Journal, run: RunStats) -> None:
        self.warnings: list[str] = []
        """What the user should know of how it went."""
        self._film, self._journal, self._run = film, journal, run
        self._context = context_frames(film.settings) + 1  # deinterlacing looks one further
        self._buffer: list[FrameRecord] = []
        self._restart: first_pass.Restart | None = None
        self._noted = time.monotonic()
        self._done: dict[int, int] = {}
        """Frames by segment: of those done all, of those under way so far."""
        self._faces: dict[int, float] = {}
        """Faces a frame, by segment."""
        self._before = 0
        self._lost_workers = 0

    def work(self, engine: Engine) -> None:
        """Until all segments are done. Raises a VidrestoreError; what is done by then is in the journal."""
        self._find()
        with closing(self._spans(engine)) as spans:
            for span in spans:
                while not engine.has_room:
                    self._take(engine, wait=True)
                engine.submit(self._task(span))
                self._take(engine, wait=False)
        while not engine.is_idle:
            self._take(engine, wait=True)
        if self._lost_workers:
            times = "once" if self._lost_workers == 1 else f"{self._lost_workers} times"
            self.warnings.append(f"a worker was lost {times}; what it was at was done again")
        self._count()

    def _find(self) -> None:
        """What an earlier run has left: parts that are whole, and nothing else."""
        known = set()
        for segment in self._journal.segments():
            self._note_faces(segment.span)
            if segment.file is None:
                continue
            part = self._film.folder / segment.file
            if part.is_file() and part.stat().st_size == segment.bytes:
                known.add(segment.file)
                self._done[segment.span.number] = segment.span.frames
            else:
                self._journal.segment_undone(segment.span.number)
        for file in self._film.folder.iterdir():
            if file.name not in known:
                file.unlink()
        self._before = sum(self._done.values())
        if self._before:
            self._progress()

    def _spans(self, engine: Engine) -> Generator[Span]:
        """Those to be done: first those that were planned, then as the analysis gets on."""
        planned = [segment.span for segment in self._journal.segments()]
        yield from (span for span in planned if span.number not in self._done)
        info, about = self._film.info, self._journal.about()
        planner = Planner(self._film.seconds, info.frame_rate, context=self._context, begin=planned)
        begin = first_pass.Restart.from_json(about["restart"]) if "restart" in about else None
        ended = int(about["ended"]) if "ended" in about else None
        known = ended if ended is not None else begin.frame if begin is not None else 0
        for record in self._journal.records(planner.first, known):
            yield from self._planned(planner.add(record))
        frames = ended if ended is not None else known
        if ended is None:
            with closing(self._records(begin)) as records:
                for record in self._run.timer.timed("analysis", records):
                    self._buffer.append(record)
                    if record.fingerprint.index >= planner.first:
                        yield from self._planned(planner.add(record))
                    frames = max(frames, record.fingerprint.index + 1)
                    self._note_now_and_then()
                    self._take(engine, wait=False)
        if not frames:
            raise InputError(nothing_decoded(self._film.video_input.path, self._film.settings))
        self._run.total = frames
        last = planner.end(frames)
        self._note(last, ended=frames)
        for span in last:
            yield from self._planned(span, note=False)

    def _planned(self, span: Span | None, *, note: bool = True) -> Iterator[Span]:
        if span is not None:
            if note:
                self._note([span])
            self._note_faces(span)
            yield span

    def _records(self, begin: first_pass.Restart | None) -> Generator[FrameRecord]:
        film = self._film
        before = (
            [
                r.fingerprint
                for r in self._journal.records(max(begin.frame - first_pass.CONTEXT, 0), begin.frame)
            ]
            if begin is not None
            else []
        )

        def keep(restart: first_pass.Restart) -> None:
            self._restart = restart

        return first_pass.analyse(
            film.video_input,
            film.info,
            film.field_processing,
            film.settings,
            make_detector(film.settings.detector, film.settings.device),
            on_loss=self._run.add_lost_frame,
            on_restart=keep,
            begin=begin,
            before=before,
        )

    def _note_now_and_then(self) -> None:
        late = self._restart is not None and time.monotonic() - self._noted > _NOTE_EVERY_SECONDS
        if late or len(self._buffer) >= _NOTE_EVERY_FRAMES:
            self._note([])

    def _note(self, spans: list[Span], ended: int | None = None) -> None:
        self._journal.add(self._buffer, spans, self._restart, ended)
        self._buffer, self._restart, self._noted = [], None, time.monotonic()

    def _task(self, span: Span) -> SegmentTask:
        film = self._film
        around = self._journal.records(max(span.first - self._context, 0), span.stop + self._context)
        return SegmentTask(
            span=span,
            records=needed(span, around, film.field_processing),
            video_input=film.video_input,
            info=film.info,
            field_processing=film.field_processing,
            settings=film.settings,
            output=film.output,
            folder=film.folder,
        )

    def _take(self, engine: Engine, *, wait: bool) -> None:
        for event in engine.events(wait=wait):
            self._heed(event)
            self._progress()

    def _heed(self, event: Event) -> None:
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Lost):
            self._done.pop(event.number, None)
            self._lost_workers += 1
        elif isinstance(event, Done):
            self._finished(event.result)
        else:
            self._done[event.number] = event.frames

    def _finished(self, done: Any) -> None:
        assert isinstance(done, SegmentDone)
        if not (self._film.folder / done.file).is_file():
            raise OutputError(
                f"the folder {self._film.folder} is gone or is not the same for all workers; bring it back "
                "and run the same command again"
            )
        self._journal.segment_done(done.span.number, done.file, done.bytes, done.seconds_by_stage)
        self._done[done.span.number] = done.span.frames
        written = [segment for segment in self._journal.segments() if segment.file is not None]
        frames = sum(segment.span.frames for segment in written)
        check_while(
            self._film.folder,
            self._film.output,
            written=sum(segment.bytes for segment in written),
            done=frames,
            total=max(self._run.total or 0, frames),
        )

    def _note_faces(self, span: Span) -> None:
        moments = 2 if self._film.field_processing.method == "fields" else 1
        faces = self._journal.faces_between(span.first, span.stop) / moments
        self._faces[span.number] = faces / span.frames

    def _progress(self) -> None:
        if self._run.on_progress is None:
            return
        faces = sum(frames * self._faces[number] for number, frames in self._done.items())
        self._run.on_progress(
            Progress(
                frames=sum(self._done.values()),
                total=self._run.total,
                faces=round(faces),
                seconds=time.monotonic() - self._run.started,
                before=self._before,
            )
        )

    def _count(self) -> None:
        """The statistics of the whole, whichever run did what of it."""
        totals, run, base = self._journal.totals(), self._run, self._film.info.time_base
        run.frames, run.frames_with_faces, run.faces = totals.frames, totals.with_faces, totals.faces
        run.tracks, run.lost, run.concealed = set(totals.tracks), totals.lost, totals.concealed
        for record in self._journal.records(0, 1):
            run.first = record.fingerprint.pts * base
        for record in self._journal.records(totals.frames - 1, totals.frames):
            run.until = (record.fingerprint.pts + record.fingerprint.duration) * base
