"""Ending a run by an event that another thread sets.

The thread that called checks it where it waits and after each frame, and raises CancelledError there: so the
run ends as by an interrupt, and what is cleaned up and what is kept is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vidrestore.errors import CancelledError

POLL_SECONDS = 0.1
"""How often a wait looks at the event."""
_event: ContextVar[threading.Event | None] = ContextVar("cancel", default=None)


@contextmanager
def cancellable(event: threading.Event | None) -> Iterator[None]:
    """While the block lasts, `check_cancelled` in this thread raises once `event` is set; None: never."""
    token = _event.set(event)
    try:
        check_cancelled()
        yield
    finally:
        _event.reset(token)


def is_cancellable() -> bool:
    """Whether this thread's waits must look at an event now and then."""
    return _event.get() is not None


def check_cancelled() -> None:
    """Raises CancelledError where the caller's event is set. Threads of the run itself never raise it."""
    event = _event.get()
    if event is not None and event.is_set():
        raise CancelledError("cancelled")
