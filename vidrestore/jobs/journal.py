"""The journal: one SQLite file beside the output that records finished work and survives a power failure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.jobs.fingerprint import FINGERPRINT_NAMES
from vidrestore.jobs.first_pass import AnalysisCheckpoint
from vidrestore.jobs.frame_records import FACE_BYTES, FrameRecord, pack_faces, unpack_faces
from vidrestore.jobs.segment_plan import Span
from vidrestore.jobs.sqlite_file import Database, Schema, from_sql, is_own_database, row_digest, to_sql
from vidrestore.report import DrawnCounts
from vidrestore.runtime.file_kinds import fitting_name
from vidrestore.video import FrameFingerprint

_SCHEMA = Schema(
    application_id=0x76724A33,
    tables="""
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL, digest INTEGER);
CREATE TABLE frames (
    number INTEGER PRIMARY KEY, pts INTEGER, duration INTEGER, checksum INTEGER,
    lost INTEGER, concealed INTEGER, scenes TEXT, faces BLOB, digest INTEGER
);
CREATE TABLE segments (
    number INTEGER PRIMARY KEY, first INTEGER, stop INTEGER, file TEXT, bytes INTEGER, crc INTEGER,
    stage_seconds TEXT, drawn TEXT, digest INTEGER
);
""",
)
_PART_NAME = re.compile(r"\d{5,9}-\d{1,4}\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment in the journal."""

    span: Span
    file: str | None = None
    """The file name of its part; None: not finished yet."""
    bytes: int = 0
    crc: int = 0
    """Checksum of the part's content."""
    stage_seconds: str | None = None
    """Seconds by stage, as JSON."""
    drawn: str | None = None
    """What was drawn of its faces, as JSON of `DrawnCounts.to_dict`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over all recorded frames."""

    frames: int
    with_faces: int
    faces: int
    tracks: frozenset[int]
    lost: int
    concealed: int


def journal_path(output: Path) -> Path:
    """The path of an output's journal, such as `.film.mkv.vidrestore`, shortened if that is too long."""
    if not output.name:  # the root folder; writing the output reports the error
        return output / ".vidrestore"
    name = fitting_name(".", output.name, ".vidrestore-journal", output.parent)
    return output.with_name(name.removesuffix("-journal"))


def is_journal(path: Path) -> bool:
    """Whether the file is a journal of this program."""
    return is_own_database(path, _SCHEMA)


class Journal:
    """Opens and locks the journal at `path`, or creates it. Use it in a `with` block.

    Raises:
        OutputError: Another run uses it, it is damaged or another program's, or it cannot be written.
    """

    def __init__(self, path: Path, output: Path) -> None:
        self.path = path
        self._database = Database(path, output, _SCHEMA)
        self._connection = self._database.connection

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def damaged(self) -> OutputError:
        """The error for a journal with inconsistent contents."""
        return self._database.damaged()

    def about(self) -> dict[str, str]:
        """The noted values by name: at least the run's fingerprint, or nothing in a new journal."""
        about: dict[str, str] = {}
        with self._database.read_errors():
            rows = self._connection.execute("SELECT name, value, digest FROM about").fetchall()
            for name, value, digest in rows:
                self._database.check_row("about", (name, value), digest)
                about[name] = from_sql(value)
        if about and not about.keys() >= FINGERPRINT_NAMES:
            raise self.damaged()
        return about

    def note(self, **values: str) -> None:
        """Stores values by name."""
        with self._database.user_errors(), self._connection:
            self._note(values)

    def clear(self) -> None:
        """Deletes all contents."""
        with self._database.user_errors(), self._connection:
            for table in ("about", "frames", "segments"):
                self._connection.execute(f"DELETE FROM {table}")

    def add(
        self,
        records: Sequence[FrameRecord],
        spans: Sequence[Span] = (),
        checkpoint: AnalysisCheckpoint | None = None,
        ended: int | None = None,
    ) -> None:
        """Stores results of the analysis in one transaction.

        Args:
            records: Records of frames.
            spans: Segments that are planned.
            checkpoint: Where the analysis can resume.
            ended: Number of frames of the video, once the analysis is finished.
        """
        with self._database.user_errors(), self._connection:
            rows = [_frame_row(record) for record in records]
            self._connection.executemany(
                "REPLACE INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*row, row_digest("frames", row)) for row in rows],
            )
            for span in spans:
                self._put(Segment(span=span))
            if checkpoint is not None:
                self._note({"checkpoint": checkpoint.to_json()})
            if ended is not None:
                self._note({"ended": str(ended)})

    def checkpoint(self) -> AnalysisCheckpoint | None:
        """Where the analysis can resume; None: at the first frame."""
        about = self.about()
        with self._database.read_errors():
            return AnalysisCheckpoint.from_json(about["checkpoint"]) if "checkpoint" in about else None

    def analysed_frames(self) -> int | None:
        """Number of frames of the video; None: the analysis is not finished."""
        about = self.about()
        with self._database.read_errors():
            return int(about["ended"]) if "ended" in about else None

    def segment_done(self, segment: Segment) -> None:
        """Records that the segment's part is complete."""
        with self._database.user_errors(), self._connection:
            self._put(segment)

    def segment_undone(self, segment: Segment) -> None:
        """Records that the segment's part is missing."""
        with self._database.user_errors(), self._connection:
            self._put(replace(segment, file=None, bytes=0, crc=0))

    def segments(self) -> list[Segment]:
        """All planned segments, in order and without gaps."""
        segments: list[Segment] = []
        with self._database.read_errors():
            rows = self._connection.execute("SELECT * FROM segments ORDER BY number").fetchall()
            for *values, digest in rows:
                self._database.check_row("segments", values, digest)
                number, first, stop, file, size, crc, seconds, drawn = values
                before = segments[-1].span.stop if segments else 0
                if (number, first) != (len(segments), before) or stop <= first:
                    raise self.damaged()
                if file is not None and not _PART_NAME.fullmatch(file):
                    raise self.damaged()
                span = Span(number=number, first=first, stop=stop)
                part = Segment(span=span, file=file, bytes=size, crc=crc, stage_seconds=seconds, drawn=drawn)
                segments.append(part)
        return segments

    def records(self, first: int, stop: int) -> Iterator[FrameRecord]:
        """The records of frames `first` to `stop - 1`, without gaps. Only one is in memory at a time."""
        query = "SELECT * FROM frames WHERE number >= ? AND number < ? ORDER BY number"
        # An open cursor in an error's traceback would keep the file locked, so it is closed here.
        with (
            self._database.read_errors(),
            closing(self._connection.execute(query, (first, stop))) as rows,
        ):
            before: int | None = None
            for *values, digest in rows:
                self._database.check_row("frames", values, digest)
                record = _record(values)
                if before is not None and record.fingerprint.index != before + 1:
                    raise self.damaged()
                before = record.fingerprint.index
                yield record

    def check_records(self, frames: int) -> None:
        """Raises OutputError unless the first `frames` frames are all recorded."""
        with self._database.read_errors():
            rows = self._connection.execute("SELECT SUM(number BETWEEN 0 AND ? - 1) FROM frames", (frames,))
            if (rows.fetchone()[0] or 0) != frames:
                raise self.damaged()

    def totals(self) -> Totals:
        """Sums over all recorded frames."""
        frames = with_faces = faces = lost = concealed = 0
        tracks: set[int] = set()
        for record in self.records(-1, 2**62):
            frames += record.fingerprint.index >= 0
            faces += len(record.faces[0]) if record.faces else 0
            with_faces += bool(record.faces and record.faces[0])
            tracks.update(face.track_id for moment in record.faces for face in moment)
            lost, concealed = lost + record.lost, concealed + record.concealed
        return Totals(
            frames=frames,
            with_faces=with_faces,
            faces=faces,
            tracks=frozenset(tracks),
            lost=lost,
            concealed=concealed,
        )

    def faces_between(self, first: int, stop: int) -> int:
        """Number of faces in frames `first` to `stop - 1`, in all their moments."""
        query = "SELECT SUM(LENGTH(faces)) FROM frames WHERE number >= ? AND number < ?"
        with self._database.read_errors():
            (size,) = self._connection.execute(query, (first, stop)).fetchone()
            return (size or 0) // FACE_BYTES

    def seconds_by_stage(self) -> dict[str, float]:
        """Seconds by stage over all finished segments, of this run and earlier ones."""
        sums: dict[str, float] = {}
        for segment in self.segments():
            with self._database.read_errors():
                for stage, seconds in json.loads(segment.stage_seconds or "{}").items():
                    sums[stage] = sums.get(stage, 0.0) + seconds
        return sums

    def drawn(self) -> DrawnCounts:
        """How much of each track was drawn, over all finished segments of this run and earlier ones."""
        counts = DrawnCounts()
        for segment in self.segments():
            with self._database.read_errors():
                counts.merge(json.loads(segment.drawn or "{}"))
        return counts

    def remove(self) -> None:
        """Deletes the journal once the output is complete."""
        self._database.remove()

    def _note(self, values: dict[str, str]) -> None:
        rows = [(name, to_sql(value)) for name, value in values.items()]
        self._connection.executemany(
            "REPLACE INTO about VALUES (?, ?, ?)", [(*row, row_digest("about", row)) for row in rows]
        )

    def _put(self, segment: Segment) -> None:
        span = segment.span
        part = segment.file, segment.bytes, segment.crc, segment.stage_seconds, segment.drawn
        row = span.number, span.first, span.stop, *part
        self._connection.execute(
            "REPLACE INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, row_digest("segments", row))
        )


def _frame_row(record: FrameRecord) -> tuple[object, ...]:
    frame = record.fingerprint
    scenes = ",".join(map(str, record.scenes))
    numbers = (frame.index, frame.pts, frame.duration, frame.checksum, record.lost, record.concealed)
    return (*map(int, numbers), scenes, pack_faces(record.faces))


def _record(row: Iterable[object]) -> FrameRecord:
    index, pts, duration, checksum, lost, concealed, scenes, faces = row
    numbers = tuple(int(number) for number in str(scenes).split(",") if number)
    return FrameRecord(
        fingerprint=FrameFingerprint(
            index=int(index),  # type: ignore[call-overload]
            pts=int(pts),  # type: ignore[call-overload]
            duration=int(duration),  # type: ignore[call-overload]
            checksum=int(checksum),  # type: ignore[call-overload]
        ),
        scenes=numbers,
        faces=unpack_faces(bytes(faces), len(numbers)),  # type: ignore[call-overload]
        lost=int(lost),  # type: ignore[call-overload]
        concealed=int(concealed),  # type: ignore[call-overload]
    )
