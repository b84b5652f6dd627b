"""The files behind an input as they are read: what the system cannot read is no end and no damage.

A demuxer that meets a bad sector or a lost network drive takes it for damage or for the end of the file, each
in its own way, and some call damage an error of reading. So the system's own word is kept here, underneath.
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
    """What can be read forwards."""

    def read(self, size: int, /) -> bytes: ...


def refuse_special_file(path: Path) -> None:
    """Raises InputError for a pipe, a device or a socket: reading it could wait for ever."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(f"{path} is no regular file; give pictures that are files")


class ReadMonitor:
    """Opens what belongs to one input, watches it being read, closes it.

    `may_open` says of a path whether FFmpeg may have it opened; by default nothing but what `file` opens.
    """

    def __init__(self, *, may_open: Callable[[Path], bool] | None = None) -> None:
        self._may_open = may_open
        self._error: tuple[str, OSError] | None = None
        self._open: set[MonitoredFile] = set()

    def check(self) -> None:
        """Raises ReadError where something could not be read since."""
        if self._error is not None:
            name, error = self._error
            raise ReadError.of(name, error) from error

    def file(self, path: Path) -> MonitoredFile:
        """The file, open. Raises OSError, which `check` then knows of, too."""
        try:
            file = MonitoredFile(str(path), FileIO(path), self)
        except OSError as error:
            self.record_error(str(path), error)
            raise
        self._open.add(file)
        return file

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> MonitoredFile:
        """As `file`, for what FFmpeg asks to open: PyAV's `io_open`.

        Raises PermissionError for what does not belong to the input, InputError for what is not a file.
        """
        path = Path(url.removeprefix("file:"))
        if self._may_open is None or not self._may_open(path):
            raise PermissionError(errno.EACCES, "an input may not open other files", url)
        refuse_special_file(path)
        return self.file(path)

    def record_error(self, name: str, error: OSError) -> None:
        """The file `name` could not be read; the first error is the one to tell."""
        self._error = self._error or (name, error)

    def forget(self, file: MonitoredFile) -> None:
        self._open.discard(file)

    def close(self) -> None:
        for file in tuple(self._open):
            file.close()


class MonitoredReader:
    """Something that is read forwards. What cannot be read looks like its end; `monitor` knows better.

    An error may not be raised here: FFmpeg reads on after it, and PyAV has room for one.
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
    """A file on a disk, which can be read anywhere."""

    _file: FileIO

    def seek(self, offset: int, whence: int) -> int:
        """The new position, or what is wrong in FFmpeg's way: damaged files send it anywhere."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            return -(error.errno or errno.EINVAL)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        self._monitor.forget(self)
