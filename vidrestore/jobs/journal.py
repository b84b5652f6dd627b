"""What has been done of a film, in one SQLite file beside the output: it outlives a power cut."""

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
    """A segment as the journal knows it."""

    span: Span
    file: str | None = None
    """The name of its part; None: not done yet."""
    bytes: int = 0
    crc: int = 0
    """Of the part's content."""
    stage_seconds: str | None = None
    """Seconds by stage, as JSON."""
    drawn: str | None = None
    """What was drawn of its faces, as JSON of `DrawnCounts.to_dict`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the frames so far come to."""

    frames: int
    with_faces: int
    faces: int
    tracks: frozenset[int]
    lost: int
    concealed: int


def journal_path(output: Path) -> Path:
    """Where the journal of an output is, beside it: `.film.mkv.vidrestore`, unless that is too long."""
    if not output.name:  # the root, which is no output; whoever writes there says so
        return output / ".vidrestore"
    name = fitting_name(".", output.name, ".vidrestore-journal", output.parent)
    return output.with_name(name.removesuffix("-journal"))


def is_journal(path: Path) -> bool:
    """Whether a journal of this program is there."""
    return is_own_database(path, _SCHEMA)


class Journal:
    """The journal at a path, made there if need be, and locked. A context manager.

    Raises OutputError where another run uses it, it is damaged or not this program's, or not to be written.
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
        """The error of a journal whose contents do not fit together."""
        return self._database.damaged()

    def about(self) -> dict[str, str]:
        """What was noted, by name: nothing, or at least the run's fingerprint."""
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
        with self._database.user_errors(), self._connection:
            self._note(values)

    def clear(self) -> None:
        """Forget everything."""
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
        """Notes what the analysis found; `ended`: frames in all, once it is through. All of it or nothing."""
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
        """Where the analysis can go on, if it has come that far."""
        about = self.about()
        with self._database.read_errors():
            return AnalysisCheckpoint.from_json(about["checkpoint"]) if "checkpoint" in about else None

    def analysed_frames(self) -> int | None:
        """Frames in all; None: the analysis is not through."""
        about = self.about()
        with self._database.read_errors():
            return int(about["ended"]) if "ended" in about else None

    def segment_done(self, segment: Segment) -> None:
        """Notes that its part is there."""
        with self._database.user_errors(), self._connection:
            self._put(segment)

    def segment_undone(self, segment: Segment) -> None:
        """Its part is gone."""
        with self._database.user_errors(), self._connection:
            self._put(replace(segment, file=None, bytes=0, crc=0))

    def segments(self) -> list[Segment]:
        """All that are planned so far, in order, each beginning where the one before ends."""
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
        """Those of frames from `first` up to but without `stop`, without a gap, one in memory at a time."""
        query = "SELECT * FROM frames WHERE number >= ? AND number < ? ORDER BY number"
        # A cursor that an error's traceback keeps open would keep the file open and locked.
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

    def totals(self) -> Totals:
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
        """Faces in these frames, of all their moments."""
        query = "SELECT SUM(LENGTH(faces)) FROM frames WHERE number >= ? AND number < ?"
        with self._database.read_errors():
            (size,) = self._connection.execute(query, (first, stop)).fetchone()
            return (size or 0) // FACE_BYTES

    def seconds_by_stage(self) -> dict[str, float]:
        """Of all segments done, by this run and those before."""
        sums: dict[str, float] = {}
        for segment in self.segments():
            with self._database.read_errors():
                for stage, seconds in json.loads(segment.stage_seconds or "{}").items():
                    sums[stage] = sums.get(stage, 0.0) + seconds
        return sums

    def drawn(self) -> DrawnCounts:
        """How much of each track was drawn, in all segments done, by this run and those before."""
        counts = DrawnCounts()
        for segment in self.segments():
            with self._database.read_errors():
                counts.merge(json.loads(segment.drawn or "{}"))
        return counts

    def remove(self) -> None:
        """The work is done: the file goes."""
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
