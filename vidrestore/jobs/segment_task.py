"""One segment: its frames read again, restored with the faces the analysis followed, encoded into a part."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.errors import ProcessingError
from vidrestore.jobs.engines.protocol import TaskProgress
from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.jobs.reread_faces import reread, tracked_again
from vidrestore.jobs.segment_plan import Span
from vidrestore.pipeline import output_size, restore_tracked_faces
from vidrestore.report import RunStats
from vidrestore.settings import Fidelity, Settings
from vidrestore.types import Frame, RestoredFace
from vidrestore.video import FieldProcessing, OpenedVideo, SegmentWriter
from vidrestore.weights import model_path

if TYPE_CHECKING:
    from vidrestore.restoration import NetworkRestorer

DEFLICKER_RADIUS = 12
"""Of `deflicker`."""
_PROGRESS_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDone:
    """A part is there."""

    span: Span
    file: str
    """The part's name."""
    bytes: int
    crc: int
    """Of the part's content."""
    seconds_by_stage: dict[str, float]
    drawn: dict[str, list[int]]
    """As `DrawnCounts.to_dict` gives it, of the segment's own frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTask:
    """All it takes to restore a segment, on any machine that sees the same files. Can be pickled."""

    span: Span
    records: tuple[FrameRecord, ...]
    """Of the segment and the frames around it that its result depends on."""
    opened: OpenedVideo
    settings: Settings
    output: Path
    """What the whole will be called; its part goes to `folder`."""
    folder: Path

    @property
    def number(self) -> int:
        return self.span.number

    @property
    def name(self) -> str:
        first, last = (self._seconds(record) for record in (self._own_records()[0], self._own_records()[-1]))
        return f"segment {self.number + 1} ({first:.1f} to {last:.1f} s) of {self.opened.info.path.name}"

    def run(self, attempt: int) -> Iterator[TaskProgress | SegmentDone]:
        """Restores it, saying now and then how far it is. Raises a VidrestoreError."""
        segment_path = self.folder / f"{self.number:05d}-{attempt}.part"
        settings, info = self.settings, self.opened.info
        stats = RunStats(total=None, strict=False, on_progress=None)
        restorer = restorer_for(settings.model, settings.device, settings.network_fidelity)
        width, height = output_size(info, settings)
        last_message = time.monotonic()
        # Whoever holds an error holds what was going on as well: so both are closed here, not forgotten.
        with (
            reread(self.opened, self.records) as frames,
            closing(
                restore_tracked_faces(tracked_again(frames, self.records), restorer, info, settings, stats)
            ) as restored,
            SegmentWriter(
                segment_path,
                self.output,
                self.opened.output_info,
                source=self.opened.input,
                side_data=self.opened.side_data,
                width=width,
                height=height,
                start=settings.time_range(info.frame_rate)["start"],
                **settings.encoding_options(),
            ) as writer,
        ):
            for frame in self.opened.field_processing.merge_fields(self._own_frames(restored, stats)):
                stats.timer.enter("encoding")
                writer.write(frame)
                stats.timer.leave()
                if time.monotonic() - last_message > _PROGRESS_EVERY_SECONDS:
                    last_message = time.monotonic()
                    yield TaskProgress(number=self.number, frames=writer.frames)
            if writer.frames != self.span.frames:
                raise ProcessingError(f"{self.name} came to {writer.frames} frames of {self.span.frames}")
        yield SegmentDone(
            span=self.span,
            file=segment_path.name,
            bytes=writer.bytes,
            crc=writer.crc,
            seconds_by_stage=dict(stats.timer.seconds),
            drawn=stats.drawn.to_dict(),
        )

    def _own_frames(
        self, restored: Iterable[tuple[Frame, tuple[RestoredFace, ...]]], stats: RunStats
    ) -> Iterator[Frame]:
        """The segment's own frames, with what was drawn of their faces counted; not those around it."""
        for frame, faces in restored:
            if self.span.first <= frame.index < self.span.stop:
                stats.drawn.add(frame, faces)
                yield frame

    def _own_records(self) -> list[FrameRecord]:
        return [r for r in self.records if self.span.first <= r.fingerprint.index < self.span.stop]

    def _seconds(self, record: FrameRecord) -> float:
        return float(record.fingerprint.pts * self.opened.info.time_base)


def context_frames(settings: Settings) -> int:
    """How many frames to each side a restored frame depends on, within its scene."""
    from vidrestore.restoration import TemporalBlend

    reach = TemporalBlend(strength=settings.temporal).reach
    return reach + (DEFLICKER_RADIUS if settings.deflicker else 0)


def required_records(
    span: Span, records: Iterable[FrameRecord], field_processing: FieldProcessing
) -> tuple[FrameRecord, ...]:
    """Those of the records, which reach around the segment, that its result depends on."""
    by_index = {record.fingerprint.index: record for record in records}
    low, high = span.first, span.stop - 1
    while low - 1 in by_index and by_index[low - 1].scenes[-1] == by_index[low].scenes[0]:
        low -= 1
    while high + 1 in by_index and by_index[high + 1].scenes[0] == by_index[high].scenes[-1]:
        high += 1
    chosen = [by_index[index] for index in range(low, high + 1)]
    if field_processing.method != "whole":
        # Deinterlacing looks one picture to each side; these two are not restored.
        before, after = by_index.get(low - 1), by_index.get(high + 1)
        chosen = [
            *([replace(before, faces=())] if before else []),
            *chosen,
            *([replace(after, faces=())] if after else []),
        ]
    return tuple(chosen)


@lru_cache(maxsize=1)
def restorer_for(model: str, device: str, fidelity: Fidelity) -> NetworkRestorer:
    """A worker loads the network once."""
    from vidrestore.restoration import make_restorer

    return make_restorer(model_path(model), device=device, fidelity=fidelity)
