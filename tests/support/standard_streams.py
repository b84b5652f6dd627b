"""Standard input and output as pipes, within the test's own process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vidrestore.video.pipes import Pipe, StdoutFile


@contextmanager
def stdin_of(content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard input that gives the content, as a program before us would, a little at a time."""
    reading, writing = os.pipe()

    def feed() -> None:
        with os.fdopen(writing, "wb") as file:
            try:
                file.write(content)
            except BrokenPipeError:
                return

    feeder = threading.Thread(target=feed)
    feeder.start()
    monkeypatch.setattr(Pipe, "of_stdin", classmethod(lambda cls: cls(reading)))
    try:
        yield
    finally:
        os.close(reading)
        feeder.join()


@contextmanager
def stdout_into(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with path.open("wb") as file:

        def begin(self: StdoutFile) -> None:
            self._descriptor = file.fileno()

        monkeypatch.setattr(StdoutFile, "__init__", begin)
        yield
