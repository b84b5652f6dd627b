"""`--log-file FILE`: the arguments, messages, progress and end of a run, with times of day."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from vidrestore import __version__
from vidrestore.cli.messages import Message, add_listener, remove_listener
from vidrestore.cli.progress import describe
from vidrestore.cli.terminal import print_warning, printable
from vidrestore.errors import OutputError, VidrestoreError
from vidrestore.pace import STAGES, PaceMeter
from vidrestore.runtime.put_in_place import check_replaceable

if TYPE_CHECKING:
    from vidrestore.types import Progress, ProgressCallback

FIRST_LINE = "# log of vidrestore"
"""Marks a log: a run appends only to files that start with it."""
_NEVER_FOLLOW = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))
EVERY_SECONDS = 60.0
"""Interval between progress lines of the same stage."""


@contextmanager
def log_to(path: Path | None) -> Iterator[LogFile | None]:
    """In this block, messages and log records are appended to the file at `path`; None: no log.

    Raises:
        OutputError: The file cannot be written, or is not a log.
    """
    if path is None:
        yield None
        return
    with _open(path) as file:
        log = LogFile(file)
        handler = _Handler(log)
        logger = logging.getLogger("vidrestore")
        level = logger.level
        logger.addHandler(handler)
        logger.setLevel(min(level or logging.INFO, logging.INFO))
        add_listener(log.receive)
        try:
            log.line(f"vidrestore {__version__}: {' '.join(sys.argv[1:])}")
            yield log
        except BaseException as error:
            log.end(error)
            raise
        else:
            log.line("done")
        finally:
            remove_listener(log.receive)
            logger.removeHandler(handler)
            logger.setLevel(level)


class LogFile:
    """An open log."""

    def __init__(self, file: BinaryIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._clock = file, clock
        self._meter, self._stage, self._due = PaceMeter(), "", 0.0

    def line(self, text: str) -> None:
        """Writes a line with the time of day. A full disk ends the log, but not the run."""
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {printable(text)}\n"
        with suppress(OSError):
            self._file.write(line.encode("utf-8", "backslashreplace"))

    def receive(self, message: Message) -> bool:
        """Writes a message to the log; returns False, so that it is also printed."""
        self.line(message.text if message.kind == "information" else f"{message.kind}: {message.text}")
        return False

    def show(self, progress: Progress) -> None:
        """Writes a line at the start of a stage and every minute."""
        pace = self._meter.update(progress)
        if progress.stage != self._stage:
            self.line(STAGES[progress.stage])
        elif self._clock() < self._due:
            return
        else:
            self.line(describe(progress, pace))
        self._stage, self._due = progress.stage, self._clock() + EVERY_SECONDS

    def combined_with(self, on_progress: ProgressCallback | None) -> ProgressCallback:
        """A callback that logs the progress and then calls `on_progress`."""

        def both(progress: Progress) -> None:
            self.show(progress)
            if on_progress is not None:
                on_progress(progress)

        return both

    def end(self, error: BaseException) -> None:
        """Writes the error that ended the run."""
        if isinstance(error, VidrestoreError):
            self.line(f"error: {error}")
        elif isinstance(error, KeyboardInterrupt):
            self.line("interrupted")
        elif isinstance(error, Exception) and type(error).__name__ != "Exit":
            for line in traceback.format_exception(error):
                self.line(line.rstrip("\n"))


class _Handler(logging.Handler):
    """Writes this program's log records to the log; warnings also become messages to the user."""

    def __init__(self, log: LogFile) -> None:
        super().__init__(logging.INFO)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            print_warning(record.getMessage())  # the log receives this message
        else:
            self._log.line(f"{record.levelname.lower()}: {record.name}: {record.getMessage()}")


def _open(path: Path) -> BinaryIO:
    """Opens the log without a buffer, so that a full disk is noticed at once, not when the file is closed."""
    is_new = not path.exists()
    try:
        check_replaceable(path)
        # Does not wait, because the path may have become a pipe in between.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _NEVER_FOLLOW
        file = os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)
        first = file.read(len(FIRST_LINE))
        if not first:
            _begin(file, path if is_new else None)
        elif first != FIRST_LINE.encode():
            file.close()
            raise OutputError(f"{path} exists already and is not a log of vidrestore; choose another name")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    return file


def _begin(file: BinaryIO, new: Path | None) -> None:
    """Writes the first line; if that fails, the file at `new`, which was not there before, is removed."""
    try:
        file.write(f"{FIRST_LINE}\n".encode())
    except OSError:
        file.close()
        if new is not None:
            new.unlink(missing_ok=True)
        raise
