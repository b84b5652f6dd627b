"""Running jobs as a user does, and comparing their outputs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vidrestore
from tests.support.films import make_film
from tests.support.shared import ROOT
from vidrestore.errors import ProcessingError
from vidrestore.jobs import segment_task
from vidrestore.jobs.journal import journal_path
from vidrestore.types import Frame
from vidrestore.video import SegmentWriter, probe, read_frames

SEGMENTS: dict[str, Any] = {"codec": "ffv1", "segment": 1}
"""Settings of `interrupted_run`."""


def frames_of(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


def assert_equal(one: Path, other: Path) -> None:
    original, result = frames_of(one), frames_of(other)
    assert [(f.pts, f.duration) for f in result] == [(f.pts, f.duration) for f in original]
    for a, b in zip(original, result, strict=True):
        for p, q in zip(a.planes, b.planes, strict=True):
            assert np.array_equal(p, q), f"frame {a.index}"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "vidrestore", *map(str, words)]


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )


def finished_segment_files(output: Path) -> dict[str, int]:
    """The parts that the journal says are done, and when each was written."""
    journal = journal_path(output)
    if not journal.exists():
        return {}
    with closing(sqlite3.connect(journal)) as connection:
        try:
            files = connection.execute("SELECT file FROM segments WHERE file IS NOT NULL").fetchall()
        except sqlite3.OperationalError:  # killed before there were tables
            return {}
    folder = output.with_name(f".{output.name}.vidrestore-parts")
    return {file: (folder / file).stat().st_mtime_ns for (file,) in files}


@contextmanager
def failing_at(frame: int) -> Iterator[None]:
    """In this block, writing this frame of a run in this process fails, counted from 1."""
    write, count = SegmentWriter.write, 0

    def failing(self: SegmentWriter, given: Any) -> None:
        nonlocal count
        count += 1
        if count == frame:
            raise OSError(5, "Input/output error")
        write(self, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_task.SegmentWriter, "write", failing)
        yield


def interrupted_run(folder: Path, *, fails_at: int = 40) -> tuple[Path, Path]:
    """A film of three segments without faces, and its output, of which the first segment is done.

    Writing frame `fails_at` failed.
    """
    source, output = make_film(folder / "in.mkv", 90, ()), folder / "out.mkv"
    message = r"segment 2 .* \(1 segment is kept: run the same command"
    with failing_at(fails_at), pytest.raises(ProcessingError, match=message):
        vidrestore.restore(source, output, **SEGMENTS)
    assert not output.exists()
    return source, output
