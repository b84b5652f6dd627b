"""The task of one segment: reads its frames again, restores the recorded faces, and encodes a part."""

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
from vidrestore.jobs.reread_faces import reread, with_tracked_faces
from vidrestore.jobs.segment_plan import Span
from vidrestore.pipeline import output_info, output_size, restore_tracked_faces
from vidrestore.report import RunStats
from vidrestore.runtime.openmp import import_torch
from vidrestore.settings import Fidelity, Settings
from vidrestore.settings.keywords import Precision
from vidrestore.types import Frame, RestoredFace
from vidrestore.video import FieldProcessing, OpenedVideo, SegmentWriter
from vidrestore.weights import model_path

if TYPE_CHECKING:
    from vidrestore.restoration import NetworkRestorer

DEFLICKER_RADIUS = 12
"""Number of frames to each side that `deflicker` uses."""
_PROGRESS_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentDone:
    """A segment is finished."""

    span: Span
    file: str
    """The file name of its part."""
    bytes: int
    crc: int
    """Checksum of the part's content."""
    seconds_by_stage: dict[str, float]
    drawn: dict[str, list[int]]
    """`DrawnCounts.to_dict` of the segment's own frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTask:
    """A segment to restore, on any machine with the same file system. Can be pickled."""

    span: Span
    records: tuple[FrameRecord, ...]
    """Records of the segment's frames, and of those around it that its result depends on."""
    opened: OpenedVideo
    settings: Settings
    output: Path
    """Path of the joined output."""
    folder: Path
    """Folder of the part."""

    @property
    def number(self) -> int:
        return self.span.number

    @property
    def name(self) -> str:
        first, last = (self._seconds(record) for record in (self._own_records()[0], self._own_records()[-1]))
        return f"segment {self.number + 1} ({first:.1f} to {last:.1f} s) of {self.opened.info.path.name}"

    def run(self, attempt: int) -> Iterator[TaskProgress | SegmentDone]:
        """Restores the segment; yields its progress from time to time, and the result last.

        Raises:
            VidrestoreError: One of its subclasses.
        """
        segment_path = self.folder / f"{self.number:05d}-{attempt}.part"
        settings, info = self.settings, self.opened.info
        stats = RunStats(total=None, strict=False, on_progress=None)
        restorer = restorer_for(
            settings.model,
            settings.device,
            settings.network_fidelity,
            settings.precision,
            settings.compile,
        )
        width, height = output_size(info, settings)
        last_message = time.monotonic()
        # An error's traceback would keep both alive, so they are closed here.
        with (
            reread(self.opened, self.records) as frames,
            closing(
                restore_tracked_faces(
                    with_tracked_faces(frames, self.records),
                    restorer,
                    info,
                    settings,
                    stats,
                    with_crops=False,
                )
            ) as restored,
            SegmentWriter(
                segment_path,
                self.output,
                output_info(self.opened, settings),
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
                raise ProcessingError(f"{self.name} has {writer.frames} frames instead of {self.span.frames}")
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
        """The segment's own frames, without those around it; counts how much of their faces was drawn."""
        for frame, faces in restored:
            if self.span.first <= frame.index < self.span.stop:
                stats.drawn.add(frame, faces)
                yield frame

    def _own_records(self) -> list[FrameRecord]:
        return [r for r in self.records if self.span.first <= r.fingerprint.index < self.span.stop]

    def _seconds(self, record: FrameRecord) -> float:
        return float(record.fingerprint.pts * self.opened.info.time_base)


def context_frames(settings: Settings) -> int:
    """Number of frames to each side that a restored frame depends on, within its scene."""
    import_torch()
    from vidrestore.restoration import TemporalBlend

    reach = TemporalBlend(strength=settings.temporal).reach
    return reach + (DEFLICKER_RADIUS if settings.deflicker else 0)


def required_records(
    span: Span, records: Iterable[FrameRecord], field_processing: FieldProcessing
) -> tuple[FrameRecord, ...]:
    """The records that the segment's result depends on.

    Args:
        span: The segment.
        records: Records of its frames and of more frames around it.
        field_processing: How interlaced video is processed.
    """
    by_index = {record.fingerprint.index: record for record in records}
    low, high = span.first, span.stop - 1
    while low - 1 in by_index and by_index[low - 1].scenes[-1] == by_index[low].scenes[0]:
        low -= 1
    while high + 1 in by_index and by_index[high + 1].scenes[0] == by_index[high].scenes[-1]:
        high += 1
    chosen = [by_index[index] for index in range(low, high + 1)]
    if field_processing.method != "whole":
        # Deinterlacing needs one more frame on each side; these two are not restored.
        before, after = by_index.get(low - 1), by_index.get(high + 1)
        chosen = [
            *([replace(before, faces=())] if before else []),
            *chosen,
            *([replace(after, faces=())] if after else []),
        ]
    return tuple(chosen)


@lru_cache(maxsize=1)
def restorer_for(
    model: str,
    device: str,
    fidelity: Fidelity,
    precision: Precision = "auto",
    compile_networks: bool = False,
) -> NetworkRestorer:
    """The network with its weights on the device; each worker process loads it once.

    Args:
        model: As the setting.
        device: As the setting.
        fidelity: As the setting.
        precision: As the setting.
        compile_networks: Whether the networks are compiled for an NVIDIA GPU.

    Raises:
        WeightsError: The weights are missing or cannot be read.
        DeviceError: There is no such device.
    """
    import_torch()
    from vidrestore.restoration import make_restorer

    return make_restorer(
        model_path(model),
        device=device,
        fidelity=fidelity,
        precision=precision,
        compile_networks=compile_networks,
    )
