"""Runs one job in its own process: `python -m vidrestore.web.job_process FOLDER NUMBER`.

The job continues if the server ends. It writes lines to FOLDER/NUMBER.jsonl, one JSON object each: progress
with the values of `pace.ProgressSampler`; the last line is `{"done": …}` or `{"error": sentence}`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from vidrestore import api
from vidrestore.errors import VidrestoreError
from vidrestore.pace import ProgressSampler
from vidrestore.types import Progress, ProgressCallback
from vidrestore.web.job_store import Job, JobStore

EVERY_SECONDS = 0.5
DATABASE = "jobs.sqlite"


def lines_path(folder: Path, number: int) -> Path:
    """The path of a job's lines."""
    return folder / f"{number}.jsonl"


def main(folder: Path, number: int) -> int:
    """Runs the job; returns the exit code."""
    job = JobStore(folder / DATABASE).get(number)
    with lines_path(folder, number).open("w", encoding="utf-8") as lines:
        try:
            result = _inspect(job, lines) if job.kind == "inspect" else _restore(job, lines)
        except VidrestoreError as error:
            _write(lines, {"error": str(error)})
            return 1
        except KeyboardInterrupt:
            _write(lines, {"error": "interrupted"})
            return 130
        except Exception as error:
            _write(lines, {"error": f"this is a defect of vidrestore: {type(error).__name__}: {error}"})
            return 1
        _write(lines, {"done": result})
    return 0


def _restore(job: Job, lines: IO[str]) -> Any:
    report = api.restore(job.input, job.output, on_progress=_progress_to(lines), **job.settings)
    return {**asdict(report), "output": str(report.output), "damage": report.damage}


def _inspect(job: Job, lines: IO[str]) -> Any:
    import cv2

    found = api.inspect(job.input, on_progress=_progress_to(lines), **job.settings)
    pictures = {}
    for track in found.tracks:
        png = cv2.imencode(".jpg", track.thumbnail[:, :, ::-1])[1].tobytes()
        pictures[track.id] = "data:image/jpeg;base64," + base64.b64encode(png).decode("ascii")
    return {**found.to_dict(), "thumbnails": pictures}


def _progress_to(lines: IO[str]) -> ProgressCallback:
    sampler = ProgressSampler(EVERY_SECONDS)

    def show(progress: Progress) -> None:
        values = sampler.sample(progress)
        if values is not None:
            _write(lines, values)

    return show


def _write(lines: IO[str], value: Any) -> None:
    lines.write(json.dumps(value) + "\n")
    lines.flush()
    if "done" in value or "error" in value:
        os.fsync(lines.fileno())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
