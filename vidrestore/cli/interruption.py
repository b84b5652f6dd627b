"""The message after Ctrl-C: what work is kept, and how to continue."""

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
    """In this block, an interrupt of the run to `output` becomes a CancelledError with an explanation."""
    try:
        yield
    except VidrestoreError:
        raise
    except KeyboardInterrupt as error:
        raise CancelledError(_sentence(output)) from error
    except Exception as error:
        if not signals.was_interrupted():
            raise
        raise CancelledError(
            _sentence(output)
        ) from error  # a library has turned the interrupt into another exception


def _sentence(output: Path) -> str:
    from vidrestore.jobs.resumable_work import resumable_work

    kept = None if str(output) == "-" else resumable_work(output)
    if kept is None:
        return "interrupted; nothing is kept"
    hint = f"continue with: vidrestore resume {shlex.quote(str(output))}"
    if not kept.segments:
        return f"interrupted; the faces found in {count(kept.analysed_frames, 'frame')} are kept; {hint}"
    verb = "is" if kept.segments == 1 else "are"
    segments = f"{count(kept.segments, 'segment')} with {count(kept.frames, 'frame')}"
    return f"interrupted; {segments} {verb} kept; {hint}"
