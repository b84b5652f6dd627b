"""One job in a process of its own: `python -m vidrestore.web.job_process FOLDER NUMBER`.

It goes on when the server dies. Its lines go to FOLDER/NUMBER.jsonl, one JSON object each: progress with
`frames`, `total`, `faces`, `seconds` and `eta`; the last line is `{"done": …}` or `{"error": sentence}`.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from vidrestore import api
from vidrestore.errors import VidrestoreError
from vidrestore.types import Progress
from vidrestore.web.job_store import Job, JobStore

EVERY_SECONDS = 0.5
DATABASE = "jobs.sqlite"


def lines_path(folder: Path, number: int) -> Path:
    """Where the lines of a job are."""
    return folder / f"{number}.jsonl"


def main(folder: Path, number: int) -> int:
    """The exit code; runs the job to its end."""
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
    report = api.restore(job.input, job.output, on_progress=_Progress(lines), **job.settings)
    return {**asdict(report), "output": str(report.output), "damage": report.damage}


def _inspect(job: Job, lines: IO[str]) -> Any:
    import cv2

    found = api.inspect(job.input, on_progress=_Progress(lines), **job.settings)
    pictures = {}
    for track in found.tracks:
        png = cv2.imencode(".jpg", track.thumbnail[:, :, ::-1])[1].tobytes()
        pictures[track.id] = "data:image/jpeg;base64," + base64.b64encode(png).decode("ascii")
    return {**found.to_dict(), "thumbnails": pictures}


class _Progress:
    """Writes a line now and then."""

    def __init__(self, lines: IO[str]) -> None:
        self._lines, self._due = lines, 0.0

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY_SECONDS
        rate = (progress.frames - progress.resumed_frames) / progress.seconds if progress.seconds else 0.0
        left = (
            None if progress.total is None or rate <= 0 else max(progress.total - progress.frames, 0) / rate
        )
        _write(
            self._lines,
            {
                "frames": progress.frames,
                "total": progress.total,
                "faces": progress.faces,
                "seconds": round(progress.seconds, 2),
                "rate": round(rate, 2),
                "eta": None if left is None else round(left, 1),
            },
        )


def _write(lines: IO[str], value: Any) -> None:
    lines.write(json.dumps(value) + "\n")
    lines.flush()
    if "done" in value or "error" in value:
        os.fsync(lines.fileno())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
