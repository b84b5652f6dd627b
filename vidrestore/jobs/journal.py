"""What has been done of a film, in one SQLite file beside the output: it outlives a power cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vidrestore.jobs.first_pass import AnalysisCheckpoint
from vidrestore.jobs.frame_records import FACE_BYTES, FrameRecord, pack_faces, unpack_faces
from vidrestore.jobs.segment_plan import Span
from vidrestore.jobs.sqlite_file import Database
from vidrestore.video import FrameFingerprint

_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS frames (
    number INTEGER PRIMARY KEY, pts INTEGER, duration INTEGER, checksum INTEGER,
    lost INTEGER, concealed INTEGER, scenes TEXT, faces BLOB
);
CREATE TABLE IF NOT EXISTS segments (
    number INTEGER PRIMARY KEY, first INTEGER, stop INTEGER, file TEXT, bytes INTEGER, stage_seconds TEXT
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment as the journal knows it."""

    span: Span
    file: str | None
    """The name of its part; None: not done yet."""
    bytes: int = 0


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
    return output.with_name(f".{output.name}.vidrestore")


class Journal:
    """The journal at a path, made there if need be, and locked. A context manager.

    Raises OutputError where another run has it, it is damaged, or it cannot be written.
    """

    def __init__(self, path: Path, output: Path) -> None:
        self.path = path
        self._database = Database(path, output, _TABLES)
        self._connection = self._database.connection

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def about(self) -> dict[str, str]:
        """What was noted, by name."""
        with self._database.user_errors():
            return dict(self._connection.execute("SELECT name, value FROM about"))

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
            self._connection.executemany(
                "REPLACE INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [_row(record) for record in records]
            )
            self._connection.executemany(
                "INSERT INTO segments VALUES (?, ?, ?, NULL, 0, NULL)",
                [(span.number, span.first, span.stop) for span in spans],
            )
            if checkpoint is not None:
                self._note({"checkpoint": checkpoint.to_json()})
            if ended is not None:
                self._note({"ended": str(ended)})

    def segment_done(self, number: int, file: str, size: int, stage_seconds: dict[str, float]) -> None:
        with self._database.user_errors(), self._connection:
            self._connection.execute(
                "UPDATE segments SET file = ?, bytes = ?, stage_seconds = ? WHERE number = ?",
                (file, size, json.dumps(stage_seconds), number),
            )

    def segment_undone(self, number: int) -> None:
        """Its part is gone."""
        with self._database.user_errors(), self._connection:
            self._connection.execute("UPDATE segments SET file = NULL, bytes = 0 WHERE number = ?", (number,))

    def segments(self) -> list[Segment]:
        """All that are planned so far, in order."""
        with self._database.user_errors():
            rows = self._connection.execute(
                "SELECT number, first, stop, file, bytes FROM segments ORDER BY number"
            )
            return [
                Segment(span=Span(number=number, first=first, stop=stop), file=file, bytes=size)
                for number, first, stop, file, size in rows
            ]

    def records(self, first: int, stop: int) -> Iterator[FrameRecord]:
        """Those of frames from `first` up to but without `stop`, one in memory at a time."""
        query = "SELECT * FROM frames WHERE number >= ? AND number < ? ORDER BY number"
        with self._database.user_errors():
            for row in self._connection.execute(query, (first, stop)):
                yield _record(row)

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
        with self._database.user_errors():
            (size,) = self._connection.execute(query, (first, stop)).fetchone()
        return (size or 0) // FACE_BYTES

    def seconds_by_stage(self) -> dict[str, float]:
        """Of all segments done, by this run and those before."""
        sums: dict[str, float] = {}
        with self._database.user_errors():
            rows = self._connection.execute(
                "SELECT stage_seconds FROM segments WHERE stage_seconds IS NOT NULL"
            ).fetchall()
        for (stage_seconds,) in rows:
            for stage, seconds in json.loads(stage_seconds).items():
                sums[stage] = sums.get(stage, 0.0) + seconds
        return sums

    def remove(self) -> None:
        """The work is done: the file goes."""
        self._database.close()
        discard(self.path)

    def _note(self, values: dict[str, str]) -> None:
        self._connection.executemany("REPLACE INTO about VALUES (?, ?)", list(values.items()))


def discard(path: Path) -> None:
    """Removes a journal nobody works with, and SQLite's own file beside it."""
    for file in (path, path.with_name(path.name + "-journal")):
        with suppress(OSError):
            file.unlink(missing_ok=True)


def _row(record: FrameRecord) -> tuple[object, ...]:
    frame = record.fingerprint
    scenes = ",".join(map(str, record.scenes))
    faces = pack_faces(record.faces)
    return (
        frame.index, frame.pts, frame.duration, frame.checksum, record.lost, record.concealed, scenes, faces
    )  # fmt: skip


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
