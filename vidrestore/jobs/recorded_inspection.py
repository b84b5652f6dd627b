"""Inspects a video and saves the tracked faces of every frame, so that previews need no analysis."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from vidrestore import __version__
from vidrestore.errors import OutputError
from vidrestore.inspection import Inspection, inspect_video
from vidrestore.jobs.frame_records import FrameRecord, pack_faces, unpack_faces
from vidrestore.jobs.known_tracks import KnownTracks
from vidrestore.jobs.preview_moments import Moment, make_moment
from vidrestore.jobs.segment_task import context_frames
from vidrestore.jobs.sidecar_check import tracking_part
from vidrestore.settings import Settings
from vidrestore.tracking import LargestFace, chosen_by_track
from vidrestore.types import FrameFaces, ProgressCallback, TrackedFace
from vidrestore.video import FrameFingerprint, OpenedVideo, checksum, tick_at

_TABLES = """
create table about (video text not null, tracks text not null);
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
            tracks = KnownTracks.of_inspection(found).to_json()
            connection.execute("insert into about values (?, ?)", (known, tracks))
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
    if not file.is_file():
        return None
    try:
        with _opened(file, opened.info.path, settings) as connection:
            return list(_moments(connection, opened, times, settings))
    except (sqlite3.Error, LookupError, ValueError):
        return None


def recorded_tracks(source: Path, settings: Settings, file: Path) -> KnownTracks | None:
    """The tracks that the inspection found; None: the file does not have them.

    Args:
        source: The video.
        settings: The settings of the run.
        file: The file from `inspect_and_record`.
    """
    if not file.is_file():
        return None
    try:
        with _opened(file, source, settings) as connection:
            (tracks,) = connection.execute("select tracks from about").fetchone()
            return KnownTracks.from_json(tracks, source)
    except (sqlite3.Error, LookupError, ValueError, TypeError):
        return None


@contextmanager
def _opened(file: Path, source: Path, settings: Settings) -> Iterator[sqlite3.Connection]:
    """The file, to be read. Raises LookupError if it is of another video, or of other ways of tracking."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute("select video from about").fetchone() != (_video(source, settings),):
            raise LookupError
        yield connection


def _moments(
    connection: sqlite3.Connection, opened: OpenedVideo, times: Sequence[float], settings: Settings
) -> Iterator[Moment]:
    """Raises LookupError for a time after the last frame, for which `find_moments` has the message."""
    context = context_frames(settings) + 1
    longest = round(1 / opened.info.frame_rate / opened.info.time_base)
    (last,) = connection.execute("select max(number) from frames").fetchone()
    if last is None:
        raise LookupError  # fields are restored, or the video is deinterlaced
    for at in dict.fromkeys(times):
        tick = tick_at(opened.input, opened.info, at)
        index, pts, duration = (
            connection.execute(f"{_SHOWN} where pts <= ? order by pts desc limit 1", (tick,)).fetchone()
            or connection.execute(f"{_SHOWN} order by number limit 1").fetchone()
        )
        if index == last and tick > pts + max(duration, longest):
            raise LookupError
        first = index - context - 1
        begin = _first_of_scene(connection, first) if settings.faces == "largest" else first
        rows = connection.execute(
            "select * from frames where number between ? and ? order by number", (begin, index + context)
        )
        records = [each for each in _records(rows, settings.faces) if each.fingerprint.index >= first]
        yield make_moment(at, index, records, opened)


def _first_of_scene(connection: sqlite3.Connection, number: int) -> int:
    """The number of the first frame in the scene of frame `number`."""
    found = connection.execute(
        "select min(number) from frames where scene = (select scene from frames where number = ?)", (number,)
    ).fetchone()
    return number if found[0] is None else int(found[0])


def _records(rows: Iterable[tuple[int, int, int, int, int, bytes]], faces: str) -> Iterator[FrameRecord]:
    choose = _selection(faces)
    for number, pts, duration, check, scene, packed in rows:
        (tracked,) = unpack_faces(packed, 1)
        yield FrameRecord(
            fingerprint=FrameFingerprint(index=number, pts=pts, duration=duration, checksum=check),
            scenes=(scene,),
            faces=(tuple(choose(scene, tracked)),),
        )


def _selection(faces: str) -> Callable[[int, Sequence[TrackedFace]], list[TrackedFace]]:
    """Selects the faces of the next frame, by its scene and all its faces."""
    if faces == "largest":
        return LargestFace().choose
    is_chosen = chosen_by_track(faces)
    return lambda _, tracked: [face for face in tracked if is_chosen(face.track_id)]


def _video(source: Path, settings: Settings) -> str:
    """The values that the analysis depends on."""
    status = None
    with suppress(OSError):
        found = source.stat()
        status = (found.st_size, found.st_mtime_ns)
    return json.dumps([__version__, str(source), status, tracking_part(settings).model_dump()])
