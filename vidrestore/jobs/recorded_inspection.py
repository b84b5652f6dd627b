"""Inspects a video and saves the tracked faces of every frame, so that previews need no analysis."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from vidrestore import __version__
from vidrestore.errors import OutputError
from vidrestore.inspection import Inspection, inspect_video
from vidrestore.jobs.frame_records import FrameRecord, pack_faces, unpack_faces
from vidrestore.jobs.preview_moments import Moment, make_moment
from vidrestore.jobs.segment_task import context_frames
from vidrestore.jobs.sidecar_check import tracking_part
from vidrestore.settings import Settings
from vidrestore.tracking import chosen_by_track
from vidrestore.types import FrameFaces, ProgressCallback, TrackedFace
from vidrestore.video import FrameFingerprint, OpenedVideo, checksum, tick_at

_TABLES = """
create table about (video text not null);
create table frames (
    number integer primary key, pts integer not null, duration integer not null, checksum integer not null,
    scene integer not null, faces blob not null
);
"""
_ROWS_AT_ONCE = 1000
_SHOWN = "select number, pts, duration from frames"


def inspect_and_record(
    source: Path, settings: Settings, file: Path, on_progress: ProgressCallback | None = None
) -> Inspection:
    """Inspects a video and saves its analysis, unless fields are restored or the video is deinterlaced.

    Args:
        source: The input.
        settings: All settings; `faces` is `all`.
        file: The new file of the analysis.
        on_progress: Called after each frame.

    Raises:
        OutputError: The file cannot be written.
        VidrestoreError: As `inspect_video`.
    """
    rows: list[tuple[int, int, int, int, int, bytes]] = []
    known = _video(source, settings)
    try:
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(_TABLES)

            def write() -> None:
                connection.executemany("insert into frames values (?, ?, ?, ?, ?, ?)", rows)
                rows.clear()

            def add(item: FrameFaces[TrackedFace]) -> None:
                frame = item.frame
                faces = pack_faces([item.faces])
                rows.append((frame.index, frame.pts, frame.duration, checksum(frame), item.scene, faces))
                if len(rows) >= _ROWS_AT_ONCE:
                    write()

            found = inspect_video(source, settings, on_progress, on_frame=add)
            write()
            connection.execute("create index by_pts on frames (pts)")
            connection.execute("insert into about values (?)", (known,))
            connection.commit()
    except (sqlite3.Error, OSError) as error:
        raise OutputError(f"cannot write {file}: {error}") from error
    return found


def recorded_moments(
    opened: OpenedVideo, times: Sequence[float], settings: Settings, file: Path
) -> list[Moment] | None:
    """The same moments as `find_moments` finds; None: the file does not have them.

    Args:
        opened: The video.
        times: Times to show [s from the video's first frame].
        settings: The settings of the run.
        file: The file from `inspect_and_record`.
    """
    if settings.faces == "largest" or not file.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            if connection.execute("select video from about").fetchone() != (
                _video(opened.info.path, settings),
            ):
                return None
            return list(_moments(connection, opened, times, settings))
    except (sqlite3.Error, LookupError, ValueError):
        return None


def _moments(
    connection: sqlite3.Connection, opened: OpenedVideo, times: Sequence[float], settings: Settings
) -> Iterator[Moment]:
    """Raises LookupError for a time after the last frame, for which `find_moments` has the message."""
    context = context_frames(settings) + 1
    longest = round(1 / opened.info.frame_rate / opened.info.time_base)
    (last,) = connection.execute("select max(number) from frames").fetchone()
    for at in dict.fromkeys(times):
        tick = tick_at(opened.input, opened.info, at)
        index, pts, duration = (
            connection.execute(f"{_SHOWN} where pts <= ? order by pts desc limit 1", (tick,)).fetchone()
            or connection.execute(f"{_SHOWN} order by number limit 1").fetchone()
        )
        if index == last and tick > pts + max(duration, longest):
            raise LookupError
        rows = connection.execute(
            "select * from frames where number between ? and ? order by number",
            (index - context - 1, index + context),
        )
        yield make_moment(at, index, list(_records(rows, settings.faces)), opened)


def _records(rows: Iterable[tuple[int, int, int, int, int, bytes]], faces: str) -> Iterator[FrameRecord]:
    is_chosen = chosen_by_track(faces)
    for number, pts, duration, check, scene, packed in rows:
        (tracked,) = unpack_faces(packed, 1)
        yield FrameRecord(
            fingerprint=FrameFingerprint(index=number, pts=pts, duration=duration, checksum=check),
            scenes=(scene,),
            faces=(tuple(face for face in tracked if is_chosen(face.track_id)),),
        )


def _video(source: Path, settings: Settings) -> str:
    """The values that the analysis depends on."""
    status = None
    with suppress(OSError):
        found = source.stat()
        status = (found.st_size, found.st_mtime_ns)
    return json.dumps([__version__, str(source), status, tracking_part(settings).model_dump()])
