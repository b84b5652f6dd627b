"""run_clip_job: `vidrestore restore`, as Kdenlive's clip jobs want it.

By Kdenlive's source (src/jobs/customjobtask.cpp): the program is given by its whole path, its arguments are
split at spaces, `percentage: N` on standard error moves the bar, and cancel kills it. Kdenlive itself chooses
OUTPUT; from the third run on that is a file that is there already, and Kdenlive expects it to be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from vidrestore.integrations.child_command import ChildCommand

SIGN = ".vidrestore."
"""In the name of each result: such a file may be replaced."""
PAUSE_SECONDS = 0.5


def run_clip_job(words: Sequence[str], bar: IO[str], command: Sequence[str] | None = None) -> int:
    """The exit code; `bar` gets lines that Kdenlive understands, and why it failed.

    Args:
        words: Source, output, and options of `vidrestore restore`.
        bar: Standard error.
        command: How vidrestore is started; None: as it was installed.
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
