"""Printing: foreign text cannot control the terminal, and a full or closed stream does not stop the work."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from vidrestore.cli.messages import Message, send
from vidrestore.errors import OutputError

_CONTROLLING = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories of characters that move the cursor, break the line or are not characters."""
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the order in which others are shown."""
_WHY = {errno.EPIPE: "the program that reads it has ended", errno.ENOSPC: "the disk is full"}


def printable(text: object) -> str:
    r"""The text with characters that would control a terminal escaped, such as \x1b or \n."""
    return "".join(
        char.encode("unicode_escape").decode()
        if char in _DIRECTIONS or unicodedata.category(char) in _CONTROLLING
        else char
        for char in str(text)
    )


def print_message(text: str) -> None:
    """Prints a line on standard error, if there is any."""
    send(Message(kind="information", text=text), _print_error_line)


def print_warning(text: str) -> None:
    """Prints a warning on standard error: what the user may not expect."""
    send(Message(kind="warning", text=text), _print_error_line)


def print_error(text: str, exit_code: int) -> None:
    """Prints on standard error why the program ends, with this exit code."""
    send(Message(kind="error", text=text, exit_code=exit_code), _print_error_line)


def _print_error_line(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)


def print_line(text: str = "") -> None:
    """Prints a line on standard output. It is only information, so a closed stream is not an error."""
    print(printable(text), flush=True)


def print_result(text: str, *, must_arrive: bool = True) -> None:
    """Prints the command's result on standard output, unchanged.

    Args:
        text: The result.
        must_arrive: Whether it is an error if the text cannot be written.

    Raises:
        OutputError: The text cannot be written, and `must_arrive` is true.
    """
    if not must_arrive:
        print(text, flush=True)
        return
    stream = sys.stdout.stream if isinstance(sys.stdout, _TolerantStream) else sys.stdout
    try:
        if stream is None:
            raise OSError(errno.EBADF, "it is closed")
        try:
            print(text, file=stream, flush=True)
        except UnicodeEncodeError:
            print(_encodable(text, stream), file=stream, flush=True)
    except (OSError, ValueError) as error:
        _discard_pending(stream)
        why = _WHY.get(getattr(error, "errno", None) or 0) or getattr(error, "strerror", None) or str(error)
        raise OutputError(f"cannot write standard output: {why}") from error


def render(*parts: Any, width: int | None) -> str:
    """The text that rich renders, for `print_result`; in colour on a terminal.

    Args:
        parts: Texts and tables.
        width: Characters a line without a terminal; None: rich's default.
    """
    from rich.console import Console

    terminal = sys.stdout is not None and sys.stdout.isatty()
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=terminal, width=None if terminal else width, highlight=False, markup=False
    )
    for part in parts:
        console.print(part)
    return file.getvalue().rstrip("\n")


@contextmanager
def tolerant_streams() -> Iterator[None]:
    """While the block lasts, writing to standard output and error never fails; refused text is lost.

    Closed descriptors of both are opened on the null device for good: otherwise the next file would get their
    numbers, and libraries would print into it.
    """
    _fill_closed_descriptors()
    out, err = sys.stdout, sys.stderr
    if out is not None:
        sys.stdout = _TolerantStream(out)
    sys.stderr = _TolerantStream(err)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, _TolerantStream):
                stream.flush()
        sys.stdout, sys.stderr = out, err


@contextmanager
def own_log_messages() -> Iterator[None]:
    """While the block lasts, this program's logged warnings are printed as messages.

    Libraries' log messages and warnings are not printed, unless Python's -W requests them: they quote foreign
    text, and their callers report what matters.
    """
    before, logging.lastResort = logging.lastResort, _OwnMessages(logging.WARNING)
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            yield
    finally:
        logging.lastResort = before


class _OwnMessages(logging.Handler):
    """Handles messages that no other handler takes."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] == "vidrestore":
            print_warning(record.getMessage())


class _TolerantStream(io.TextIOBase):
    """A stream whose methods never fail; it forwards what the underlying stream accepts."""

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self.stream, "encoding", None) or "utf-8"

    @property
    def closed(self) -> bool:
        return self.stream is None or self.stream.closed

    def write(self, text: str) -> int:
        with self._tolerance() as stream:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                stream.write(_encodable(text, stream))
        return len(text)

    def flush(self) -> None:
        with self._tolerance() as stream:
            stream.flush()

    def isatty(self) -> bool:
        return self.stream is not None and not self.stream.closed and self.stream.isatty()

    def fileno(self) -> int:
        if self.stream is None:
            raise io.UnsupportedOperation("the stream is closed")
        return self.stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def buffer(self) -> Any:
        """The binary stream underneath, for callers that write bytes."""
        return getattr(self.stream, "buffer", None) or io.BytesIO()

    @contextmanager
    def _tolerance(self) -> Iterator[IO[str]]:
        stream = self.stream
        try:
            yield stream if stream is not None else io.StringIO()
        except (OSError, ValueError):
            _discard_pending(stream)


def _encodable(text: str, stream: IO[str]) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _discard_pending(stream: IO[str] | None) -> None:
    """Redirects a standard stream to the null device, so that flushing it at exit causes no error."""
    is_own = stream is sys.__stdout__ or stream is sys.__stderr__
    if stream is None or not is_own:
        return
    with suppress(OSError, ValueError):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def _fill_closed_descriptors() -> None:
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
