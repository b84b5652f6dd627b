"""What a command has to say to the user, on standard error: information, warnings, and why it failed.

A listener may take messages in place of standard error (as JSON lines) or beside it (a log file).
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
    """Of an error: what the program ends with."""


Listener = Callable[[Message], bool]
"""Gets each message; True: it is not to be printed as well."""
_listeners: list[Listener] = []


def add_listener(listener: Listener) -> None:
    """From now on, until `listeners_removed` ends, `listener` gets each message."""
    _listeners.append(listener)


def remove_listener(listener: Listener) -> None:
    """It gets no more messages."""
    _listeners.remove(listener)


@contextmanager
def listeners_removed() -> Iterator[None]:
    """At the end of the block there are the listeners there were before."""
    before = len(_listeners)
    try:
        yield
    finally:
        del _listeners[before:]


def send(message: Message, print_text: Callable[[str], None]) -> None:
    """Gives the message to the listeners, and prints it unless one of them takes it."""
    taken = [listener(message) for listener in _listeners]
    if not any(taken) and sys.stderr is not None:
        prefix = "" if message.kind == "information" else f"vidrestore: {message.kind}: "
        print_text(prefix + message.text)
