"""Reads the files of an input and remembers system errors, which are neither damage nor the end of a file.

A demuxer treats a bad sector or a lost network drive as damage or as the end of the file, each in its own
way, and some report damage as a read error. So the operating system's error is recorded at this level.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from io import FileIO
from pathlib import Path
from typing import Protocol

from vidrestore.errors import InputError, ReadError
from vidrestore.runtime import signals

signals.defer_interrupts_in(__file__)


class Readable(Protocol):
    """A file that can be read forwards."""

    def read(self, size: int, /) -> bytes: ...


def refuse_special_file(path: Path) -> None:
    """Raises InputError for a pipe, a device or a socket: reading it could block forever."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(f"{path} is not a regular file; give pictures that are files")


class ReadMonitor:
    """Opens and closes the files of one input, and records read errors.

    Args:
        may_open: Whether FFmpeg may open a path; by default it may open none but those opened by `file`.
    """

    def __init__(self, *, may_open: Callable[[Path], bool] | None = None) -> None:
        self._may_open = may_open
        self._error: tuple[str, OSError] | None = None
        self._open: set[MonitoredFile] = set()

    def check(self) -> None:
        """Raises ReadError if a read has failed."""
        if self._error is not None:
            name, error = self._error
            raise ReadError.of(name, error) from error

    def file(self, path: Path) -> MonitoredFile:
        """Opens the file.

        Raises:
            OSError: It cannot be opened; `check` will report it, too.
        """
        try:
            file = MonitoredFile(str(path), FileIO(path), self)
        except OSError as error:
            self.record_error(str(path), error)
            raise
        self._open.add(file)
        return file

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> MonitoredFile:
        """Opens a file that FFmpeg requests: PyAV's `io_open`.

        Raises:
            PermissionError: It does not belong to the input.
            InputError: It is not a regular file.
        """
        path = Path(url.removeprefix("file:"))
        if self._may_open is None or not self._may_open(path):
            raise PermissionError(errno.EACCES, "an input may not open other files", url)
        refuse_special_file(path)
        return self.file(path)

    def record_error(self, name: str, error: OSError) -> None:
        """Records that the file `name` could not be read; only the first error is reported."""
        self._error = self._error or (name, error)

    def forget(self, file: MonitoredFile) -> None:
        self._open.discard(file)

    def close(self) -> None:
        for file in tuple(self._open):
            file.close()


class MonitoredReader:
    """A file that is read forwards. A failed read looks like its end; `monitor` has the error.

    Errors must not be raised here: FFmpeg would continue after them, and PyAV can store only one.
    """

    def __init__(self, name: str, file: Readable, monitor: ReadMonitor) -> None:
        self.name = name
        self._file, self._monitor = file, monitor
        self._ended = False

    def read(self, size: int) -> bytes:
        if self._ended:
            return b""
        try:
            return self._file.read(size)
        except OSError as error:
            self._ended = True
            self._monitor.record_error(self.name, error)
            return b""


class MonitoredFile(MonitoredReader):
    """A file on a disk, which supports seeking."""

    _file: FileIO

    def seek(self, offset: int, whence: int) -> int:
        """The new position, or FFmpeg's error code: damaged files make it seek to invalid positions."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            return -(error.errno or errno.EINVAL)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        self._monitor.forget(self)
