"""Where an output is written: under a temporary name until it is whole, or straight into a pipe.

A run locks what it writes. The lock is the system's and ends with the run, however that ends; the next run to
the same output removes what a killed one has left.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import av
from av.container import OutputContainer

from vidrestore.errors import OutputError
from vidrestore.video.formats.containers import IMAGES, STDOUT, choose_container
from vidrestore.video.formats.image_sequence import is_pattern, parse_pattern
from vidrestore.video.pipes import StdoutFile

_CANNOT_WRITE = {
    errno.ENOENT: "the folder is gone; choose another one",
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EFBIG: "a file may not grow that large there; choose another folder",
    errno.EACCES: "the folder may not be written to; check its permissions",
    errno.EPERM: "the folder may not be written to; check its permissions",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EIO: "the disk reports an error; choose another one",
    errno.EPIPE: "the program that reads it has ended",
}


def write_error(output: Path, error: Exception) -> OutputError | None:
    """The sentence for what a user can put right; None for anything else."""
    why = _CANNOT_WRITE.get(getattr(error, "errno", None) or 0)
    return None if why is None else OutputError(f"cannot write {output}: {why}")


class Target(Protocol):
    """Something that is opened once, and then either put in place or removed."""

    temporary: Path
    """Where it is written; pictures that are written one by one take its name's pattern."""

    def begin(self) -> None:
        """Takes the temporary name, and removes what runs that were killed have left under theirs."""
        ...

    def open(self, muxer: str, options: dict[str, str]) -> OutputContainer:
        """The container to write, after `begin`."""
        ...

    def commit(self) -> None: ...

    def remove(self) -> None: ...


def make_target(output: Path, *, first: int = 1) -> Target:
    """The target that `output` means; a sequence's pictures are numbered from `first`."""
    if str(output) == STDOUT:
        return _Stdout()
    return _Sequence(output, first) if is_pattern(output) else _File(output)


def replace_atomically(temporary: Path, target: Path) -> None:
    """Renames a whole file, so that even a power cut leaves the old one or the new one, never half of one."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
    if os.name == "posix":  # elsewhere folders cannot be opened, nor need they be
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class _File:
    """A file beside its target, renamed when it is whole."""

    def __init__(self, output: Path) -> None:
        self._ends = f".{output.stem}.partial-", output.suffix
        self.temporary = output.with_name(temporary_name(*self._ends))
        self._output = output
        self._lock: Lock | None = None

    def begin(self) -> None:
        remove_stale_files(self._output.parent, *self._ends)
        self.temporary.touch()
        self._lock = Lock(self.temporary)

    def open(self, muxer: str, options: dict[str, str]) -> OutputContainer:
        if muxer == IMAGES:
            options = options | {"update": "1"}  # a name with a percent sign is itself
        return av.open(f"file:{self.temporary}", "w", format=muxer, container_options=options)

    def commit(self) -> None:
        replace_atomically(self.temporary, self._output)
        _close(self._lock)

    def remove(self) -> None:
        with suppress(OSError):  # what led here is the error to be told
            self.temporary.unlink(missing_ok=True)
        _close(self._lock)


class _Stdout:
    """Standard output: what is written cannot be taken back."""

    temporary = Path(STDOUT)

    def begin(self) -> None:
        return

    def open(self, muxer: str, options: dict[str, str]) -> OutputContainer:
        return av.open(StdoutFile(), "w", format=muxer, container_options=options)

    def commit(self) -> None:
        return

    def remove(self) -> None:
        return


class _Sequence:
    """A folder beside the pictures' own, out of which they are moved when the last is whole."""

    def __init__(self, output: Path, first: int) -> None:
        self._pattern = parse_pattern(output)
        self._first = first
        self._ends = f".{output.stem.replace('%', '')}.partial-", ""
        self._folder = output.parent / temporary_name(*self._ends)
        self.temporary = self._folder / output.name
        self._lock: Lock | None = None

    def begin(self) -> None:
        remove_stale_files(self._folder.parent, *self._ends)
        self._folder.mkdir()
        self._lock = Lock(self._folder)

    def open(self, muxer: str, options: dict[str, str]) -> OutputContainer:
        name = parse_pattern(self.temporary).for_ffmpeg()
        numbered = options | {"start_number": str(self._first)}
        return av.open(name, "w", format=muxer, container_options=numbered)

    def commit(self) -> None:
        for picture in sorted(self._folder.iterdir()):
            picture.replace(self._pattern.folder / picture.name)
        self._folder.rmdir()
        _close(self._lock)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        _close(self._lock)


def _close(lock: Lock | None) -> None:
    if lock is not None:
        lock.close()


def single_picture_message(output: Path, source: Path) -> str:
    """Why a video does not go into one picture."""
    name = output.with_name(f"{output.stem}-%05d{output.suffix}")
    return f"{output} is one picture, and {source} has more; write them as {name}"


def no_frames_message(source: Path) -> str:
    """Why nothing was written."""
    return f"{source} has no frame in the part asked for; check --start and --end"


def check_target(input: Path, output: Path, overwrite: bool) -> None:
    """Raises OutputError where writing `output` would fail or destroy something."""
    if str(output) == STDOUT:
        return
    if output.is_dir():
        raise OutputError(f"the output {output} is a folder; give a file name in it, such as restored.mp4")
    if not output.parent.is_dir():
        raise OutputError(f"the folder {output.parent} does not exist; create it or choose another")
    if is_pattern(output):
        _check_sequence(input, output, overwrite)
        return
    if output.exists() and input.exists() and output.samefile(input):
        raise OutputError(f"the output {output} is the input itself; choose another name")
    if is_pattern(input) and output in (parse_pattern(input).path(n) for n in parse_pattern(input).numbers()):
        raise OutputError(f"the output {output} is a picture of the input; choose another name")
    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists already; choose another name or add --overwrite")


def _check_sequence(input: Path, output: Path, overwrite: bool) -> None:
    pattern = parse_pattern(output)
    existing = [pattern.path(number) for number in pattern.numbers()]
    input_pattern = parse_pattern(input) if is_pattern(input) else None
    same_folder = input_pattern is not None and input_pattern.folder.resolve() == pattern.folder.resolve()
    if (
        same_folder
        and input_pattern is not None
        and any(input_pattern.path(number) in existing for number in input_pattern.numbers())
    ):
        raise OutputError(f"the output {output} is the input itself; choose another name")
    if any(input.exists() and path.samefile(input) for path in existing):
        raise OutputError(f"the input {input} is a picture of the output; choose another name")
    if existing and not overwrite:
        raise OutputError(f"{existing[0]} exists already; choose another name or add --overwrite")


class Lock:
    """Says that a file or folder is being written, until it is closed or its process ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = _acquire_lock(path)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def temporary_name(prefix: str, suffix: str) -> str:
    """Between these two, a name that no other run on this machine takes at the same time."""
    return f"{prefix}{os.getpid()}{suffix}"


def remove_stale_files(folder: Path, prefix: str, suffix: str) -> None:
    """Removes what bears a `temporary_name` and nobody writes any more. What resists stays."""
    name = re.compile(rf"{re.escape(prefix)}\d+{re.escape(suffix)}")
    with suppress(OSError):
        for path in [path for path in folder.iterdir() if name.fullmatch(path.name)]:
            with suppress(OSError):
                _remove(path)


def _remove(path: Path) -> None:
    if sys.platform == "win32":
        # There is no such lock, but a file that is open cannot be removed. A folder can.
        if path.is_file():
            path.unlink()
        return
    descriptor = _acquire_lock(path)
    if descriptor is None:
        return
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def _acquire_lock(path: Path) -> int | None:
    """A descriptor that holds the lock; None where another has it, or the file system knows none."""
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def check_paths(input: Path, output: Path, overwrite: bool, container: str | None = None) -> None:
    """Raises OutputError or UsageError where writing `output` would fail or destroy something."""
    check_target(input, output, overwrite)
    choose_container(output, container)
