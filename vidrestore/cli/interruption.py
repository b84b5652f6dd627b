"""Ctrl-C, said so that the user knows what is kept and how to go on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidrestore.cli.wording import count
from vidrestore.errors import CancelledError, VidrestoreError
from vidrestore.runtime import signals


@contextmanager
def explained_interrupt(output: Path) -> Iterator[None]:
    """While the block lasts, an interrupt of the run to `output` becomes a CancelledError that explains."""
    try:
        yield
    except VidrestoreError:
        raise
    except KeyboardInterrupt as error:
        raise CancelledError(_sentence(output)) from error
    except Exception as error:
        if not signals.was_interrupted():
            raise
        raise CancelledError(_sentence(output)) from error  # a library has made something else of it


def _sentence(output: Path) -> str:
    from vidrestore.jobs.kept_work import kept_work

    kept = None if str(output) == "-" else kept_work(output)
    if kept is None:
        return "interrupted; nothing is kept"
    go_on = f"vidrestore resume {shlex.quote(str(output))} goes on from there"
    if not kept.segments:
        return f"interrupted; the faces found in {count(kept.analysed_frames, 'frame')} are kept: {go_on}"
    verb = "is" if kept.segments == 1 else "are"
    segments = f"{count(kept.segments, 'segment')} with {count(kept.frames, 'frame')}"
    return f"interrupted; {segments} {verb} kept: {go_on}"
