"""Messages for the user on standard error: information, warnings and errors.

A listener receives the messages instead of standard error (JSON lines) or in addition to it (a log file).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One sentence for the user."""

    kind: Literal["information", "warning", "error"]
    text: str
    exit_code: int | None = None
    """The program's exit code, for an error."""


Listener = Callable[[Message], bool]
"""Receives each message; returns True if the message should not be printed."""
_listeners: list[Listener] = []


def add_listener(listener: Listener) -> None:
    """Sends each message to `listener` from now on, until `listeners_removed` ends."""
    _listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    """Sends no more messages to `listener`."""
    _listeners.remove(listener)


@contextmanager
def listeners_removed() -> Iterator[None]:
    """Removes the listeners that were added in this block when it ends."""
    before = len(_listeners)
    try:
        yield
    finally:
        del _listeners[before:]


def send(message: Message, print_text: Callable[[str], None]) -> None:
    """Sends the message to the listeners, and prints it unless one of them returns True."""
    results = [listener(message) for listener in _listeners]
    if not any(results) and sys.stderr is not None:
        prefix = "" if message.kind == "information" else f"vidrestore: {message.kind}: "
        print_text(prefix + message.text)
