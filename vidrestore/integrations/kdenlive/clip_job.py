"""Runs `vidrestore restore` as a clip job of Kdenlive.

Kdenlive's source (src/jobs/customjobtask.cpp) says: the program is given by its absolute path, its arguments
are split at spaces, `percentage: N` on standard error moves the progress bar, and cancelling kills the
process. Kdenlive chooses OUTPUT; from the third run on it is an existing file, which Kdenlive expects to be
replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from vidrestore.integrations.child_command import ChildCommand

SIGN = ".vidrestore."
"""Part of the name of each result; a file with it may be replaced."""
PAUSE_SECONDS = 0.5


def run_clip_job(words: Sequence[str], bar: IO[str], command: Sequence[str] | None = None) -> int:
    """Run a clip job.

    Args:
        words: Source, output, and options of `vidrestore restore`.
        bar: Standard error; gets lines of progress for Kdenlive, and an error's sentence.
        command: The program and arguments that start vidrestore; None: as installed.

    Returns:
        The exit code.
    """
    if len(words) < 2:
        bar.write("usage: python -m vidrestore.integrations.kdenlive SOURCE OUTPUT [options of restore]\n")
        return 2
    overwrite = ["--overwrite"] if SIGN in Path(words[1]).name else []
    running, shown = ChildCommand(["restore", *words, *overwrite], command=command), -1
    while not running.wait(PAUSE_SECONDS):
        percent = int((running.share or 0.0) * 100)
        if percent != shown:
            bar.write(f"percentage: {percent}\n")
            bar.flush()
            shown = percent
    if running.state != "done":
        bar.write(f"vidrestore: {running.text}\n")
        return 1
    return 0
