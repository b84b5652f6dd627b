"""Runs one job in its own process: `python -m vidrestore.web.job_process FOLDER NUMBER`.

The job continues if the server ends. Its lines in FOLDER/NUMBER.jsonl are those of `--progress json`
(docs/progress.md); the last one is a report or an error. Beside it are the newest restored frame and, of an
inspection, the analysis.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from vidrestore import __version__, api
from vidrestore.errors import CancelledError, ProcessingError, VidrestoreError
from vidrestore.pace import LINES_VERSION, ProgressSampler
from vidrestore.types import Progress, ProgressCallback
from vidrestore.web.job_store import Job, JobStore

EVERY_SECONDS = 0.5
DATABASE = "jobs.sqlite"


def lines_path(folder: Path, number: int) -> Path:
    """The path of a job's lines."""
    return folder / f"{number}.jsonl"


def frame_path(folder: Path, number: int) -> Path:
    """The path of the JPEG with a job's newest restored frame."""
    return folder / f"{number}.jpg"


def analysis_path(folder: Path, number: int) -> Path:
    """The path of an inspection's analysis, by `jobs.recorded_inspection`."""
    return folder / f"{number}.analysis"


def file_state(video: Path) -> list[Any]:
    """The values that an inspection depends on."""
    status = video.stat()
    return [__version__, status.st_size, status.st_mtime_ns]


def main(folder: Path, number: int) -> int:
    """Runs the job; returns the exit code."""
    job = JobStore(folder / DATABASE).get(number)
    with lines_path(folder, number).open("w", encoding="utf-8") as file:
        lines = _Lines(file)
        try:
            result = _WORK[job.kind](job, folder, lines)
        except VidrestoreError as error:
            lines.write_last("error", text=str(error), exit_code=error.exit_code)
            return 1
        except KeyboardInterrupt:
            lines.write_last("error", text="interrupted", exit_code=130)
            return 130
        except Exception as error:
            text = f"this is a defect of vidrestore: {type(error).__name__}: {error}"
            lines.write_last("error", text=text, exit_code=1)
            return 1
        lines.write_last("report", **result)
    return 0


class _Lines:
    """Writes JSON lines."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, event: str, **values: Any) -> None:
        self._file.write(json.dumps({"version": LINES_VERSION, "event": event, **values}) + "\n")
        self._file.flush()

    def write_last(self, event: str, **values: Any) -> None:
        self.write(event, **values)
        os.fsync(self._file.fileno())

    def progress(self) -> ProgressCallback:
        sampler = ProgressSampler(EVERY_SECONDS)

        def show(progress: Progress) -> None:
            values = sampler.sample(progress)
            if values is not None:
                self.write("progress", **values)

        return show


def _restore(job: Job, folder: Path, lines: _Lines) -> dict[str, Any]:
    report = api.restore(job.input, job.output, on_progress=lines.progress(), **job.settings)
    return {**asdict(report), "output": str(report.output), "damage": report.damage}


def _inspect(job: Job, folder: Path, lines: _Lines) -> dict[str, Any]:
    import cv2

    from vidrestore.jobs.recorded_inspection import inspect_and_record
    from vidrestore.runtime.signals import deferred_interrupts
    from vidrestore.settings import make_settings

    video = Path(job.input)
    state, settings = file_state(video), make_settings(**job.settings)
    with deferred_interrupts():
        found = inspect_and_record(video, settings, analysis_path(folder, job.id), lines.progress())
    pictures = {}
    for track in found.tracks:
        jpeg = cv2.imencode(".jpg", track.thumbnail[:, :, ::-1])[1].tobytes()
        pictures[track.id] = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
    return {**found.to_dict(), "thumbnails": pictures, "of": state}


def _folder(job: Job, folder: Path, lines: _Lines) -> dict[str, Any]:
    from vidrestore.integrations.job_folder import run_job

    ended = run_job(Path(job.input), on_progress=lambda values: lines.write("progress", **values))
    if ended.state == "cancelled":
        raise CancelledError("cancelled")
    if ended.state != "done":
        raise ProcessingError(ended.text)
    return ended.report


_WORK: dict[str, Callable[[Job, Path, _Lines], dict[str, Any]]] = {
    "restore": _restore,
    "inspect": _inspect,
    "folder": _folder,
}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
