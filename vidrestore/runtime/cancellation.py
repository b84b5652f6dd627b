"""Cancels a run by an event that another thread sets.

The caller's thread checks the event while it waits and after each frame, and raises CancelledError. So a
cancelled run ends like an interrupted one: the same files are cleaned up, and the same work is kept. Threads
of `Prefetch` check an event of their own, which is set when their items are no longer needed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vidrestore.errors import CancelledError

POLL_SECONDS = 0.1
"""Interval between two checks of the event while a thread waits."""
_event: ContextVar[threading.Event | None] = ContextVar("cancel", default=None)


@contextmanager
def cancellable(event: threading.Event | None) -> Iterator[None]:
    """In this block, `check_cancelled` in this thread raises an error once `event` is set.

    Args:
        event: The event; None: the run cannot be cancelled.

    Raises:
        CancelledError: The event is set already.
    """
    token = _event.set(event)
    try:
        check_cancelled()
        yield
    finally:
        _event.reset(token)


def is_cancellable() -> bool:
    """Whether this thread must check an event while it waits."""
    return _event.get() is not None


def check_cancelled() -> None:
    """Raises CancelledError if this thread's event is set."""
    event = _event.get()
    if event is not None and event.is_set():
        raise CancelledError("cancelled")
