"""Outputs are written in a temporary folder until they are complete, or directly to a pipe.

The next run to the same output removes the temporary folder of a run that was killed.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import av
from av.container import OutputContainer

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import first_shared, kind_of
from vidrestore.runtime.marked_folder import MarkedFolder, remove_stale_folders, temporary_name
from vidrestore.runtime.put_in_place import (
    check_replaceable,
    put_in_place,
    rename,
    sync_file,
    sync_folder,
)
from vidrestore.video.formats.containers import IMAGES, STDOUT, choose_container
from vidrestore.video.formats.image_sequence import existing_files, is_pattern, parse_pattern
from vidrestore.video.pipes import StdoutFile

_CANNOT_WRITE = {
    errno.ENOENT: "the folder does not exist any more, or takes no new files; choose another one",
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is exceeded; free some space or choose another folder",
    errno.EFBIG: "a file may not grow that large there; choose another folder",
    errno.EACCES: "the folder may not be written to; check its permissions",
    errno.EPERM: "the folder may not be written to; check its permissions",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EIO: "the disk reports an error; choose another one",
    errno.EPIPE: "the program that reads it has ended",
    errno.EEXIST: "the name is taken; move the other file away",
    errno.EISDIR: "a folder has that name; move it away",
    errno.ENOTDIR: "a file is in the place of its folder; choose another one",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}
_LONGEST_SUFFIX = 16


def write_error(output: Path, error: Exception) -> OutputError | None:
    """The message for an error that the user can fix; None for others."""
    if isinstance(error, av.FFmpegError) and error.errno == errno.EPERM:
        return None  # some encoders' only error; folders are opened by Python
    why = _CANNOT_WRITE.get(getattr(error, "errno", None) or 0)
    return None if why is None else OutputError(f"cannot write {output}: {why}")


class Target(Protocol):
    """An output that is opened once, and then either put in place or removed."""

    temporary: Path
    """The path to write to; for pictures, a pattern."""

    def begin(self) -> None:
        """Creates the temporary folder, and removes those of runs that were killed."""
        ...

    def open(self, muxer: str, options: dict[str, str]) -> OutputContainer:
        """The container to write to, after `begin`."""
        ...

    def commit(self) -> None:
        """Gives the complete output its name."""
        ...

    def remove(self) -> None:
        """Removes what was written, after an error."""
        ...


def make_target(output: Path, *, first: int = 1, overwrite: bool = False) -> Target:
    """The target for `output`.

    Args:
        output: A file, a sequence of pictures, or standard output.
        first: The number of a sequence's first picture.
        overwrite: Whether existing files are replaced at the end.
    """
    if str(output) == STDOUT:
        return _Stdout()
    return _Sequence(output, first, overwrite) if is_pattern(output) else _File(output, overwrite)


def place_output(temporary: Path, output: Path, *, overwrite: bool) -> None:
    """As `put_in_place`, with OutputError for all errors that a user can fix.

    Args:
        temporary: The complete file.
        output: Its new name.
        overwrite: Whether a file with that name may be replaced.
    """
    try:
        put_in_place(temporary, output, overwrite=overwrite)
    except OSError as error:
        why = error.strerror or str(error)
        raise write_error(output, error) or OutputError(f"cannot write {output}: {why}") from error


def remove_leftovers(output: Path) -> None:
    """Removes the temporary folders of killed runs to `output`."""
    _File(output, overwrite=False).remove_stale()


class _File:
    """A file in a temporary folder beside its target, moved to its name when it is complete."""

    def __init__(self, output: Path, overwrite: bool) -> None:
        self._output, self._overwrite = output, overwrite
        suffix = output.suffix if len(output.suffix) <= _LONGEST_SUFFIX else ""
        name = f"whole{suffix}"
        self._is_own = name.__eq__
        folder = output.with_name(temporary_name(".", output.stem, output.parent))
        self._folder = MarkedFolder(folder, self._is_own)
        self.temporary = folder / name

    def begin(self) -> None:
        self.remove_stale()
        self._folder.create()

    def remove_stale(self) -> None:
        remove_stale_folders(self._output.parent, ".", self._output.stem, self._is_own)

    def open(self, muxer: str, options: dict[str, str]) -> OutputContainer:
        if muxer == IMAGES:
            options = options | {"update": "1"}  # a percent sign in a name has no meaning here
        return av.open(f"file:{self.temporary}", "w", format=muxer, container_options=options)

    def commit(self) -> None:
        put_in_place(self.temporary, self._output, overwrite=self._overwrite)
        self._folder.remove()

    def remove(self) -> None:
        self._folder.remove()


class _Stdout:
    """Standard output: written data cannot be removed after an error."""

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
    """A temporary folder beside the pictures' folder; they are moved when the last is complete."""

    def __init__(self, output: Path, first: int, overwrite: bool) -> None:
        self._pattern = parse_pattern(output)
        self._first, self._overwrite = first, overwrite
        self._stem = output.stem.replace("%", "")
        folder = output.with_name(temporary_name(".", self._stem, output.parent))
        self._folder = MarkedFolder(folder, self._pattern.is_match)
        self.temporary = folder / output.name

    def begin(self) -> None:
        remove_stale_folders(self._pattern.folder, ".", self._stem, self._pattern.is_match)
        self._folder.create()

    def open(self, muxer: str, options: dict[str, str]) -> OutputContainer:
        name = parse_pattern(self.temporary).for_ffmpeg()
        numbered = options | {"start_number": str(self._first)}
        return av.open(name, "w", format=muxer, container_options=numbered)

    def commit(self) -> None:
        """Moves all pictures; after any error none, unless earlier ones were replaced, which are gone."""
        written, placed = parse_pattern(self.temporary), []
        numbers = written.numbers()
        for number in numbers:
            sync_file(written.path(number))
        try:
            for number in numbers:
                target = self._pattern.path(number)
                rename(written.path(number), target, overwrite=self._overwrite)
                placed.append(target)
        except BaseException:
            if not self._overwrite:
                for target in placed:
                    with suppress(OSError):
                        target.unlink()
            raise
        sync_folder(self._pattern.folder)
        self._folder.remove()

    def remove(self) -> None:
        self._folder.remove()


def single_picture_message(output: Path, source: Path) -> str:
    """The error for a video whose output is one picture."""
    name = output.with_name(f"{output.stem}-%05d{output.suffix}")
    return (
        f"{output} is one picture, and {source} has more; restore it to {name}, or to a video such as "
        f"{output.with_suffix('.mkv')}"
    )


def no_frames_message(source: Path) -> str:
    """The error for an output without frames."""
    return f"{source} has no frame between --start and --end; check both"


def check_target(input: Path, output: Path, overwrite: bool) -> None:
    """Raises OutputError if writing `output` would fail or destroy something.

    Args:
        input: The input.
        output: The output.
        overwrite: Whether existing files may be replaced.
    """
    if str(output) == STDOUT:
        return
    try:
        _check_target(input, output, overwrite)
    except OSError as error:
        raise OutputError(f"cannot write {output}: {error.strerror or error}") from error


def _check_target(input: Path, output: Path, overwrite: bool) -> None:
    if output.is_dir():
        raise OutputError(f"the output {output} is a folder; give a file name in it, such as restored.mp4")
    if not output.parent.is_dir():
        raise OutputError(f"the folder {output.parent} does not exist; create it or choose another")
    there = existing_files(output)
    if there and (shared := first_shared(there, existing_files(input))) is not None:
        raise OutputError(f"{_overlap(input, output, shared)}; choose another name")
    for path in there:
        check_replaceable(path)
    if there and kind_of(there[0]) == "file" and not overwrite:
        raise OutputError(f"{there[0]} exists already; choose another name or add --overwrite")


def _overlap(input: Path, output: Path, shared: Path) -> str:
    """How an output and the input overlap, whose file `shared` is."""
    if is_pattern(output) and is_pattern(input):
        return f"the output {output} is the input itself: {shared} is a picture of both"
    if is_pattern(output):
        return f"the input {input} is a picture of the output"
    if is_pattern(input):
        return f"the output {output} is a picture of the input"
    return f"the output {output} is the input itself"


def check_paths(input: Path, output: Path, overwrite: bool, container: str | None = None) -> str:
    """The muxer of `output`.

    Args:
        input: The input.
        output: The output.
        overwrite: Whether existing files may be replaced.
        container: Name of the container; None: by the suffix of `output`.

    Raises:
        OutputError, UsageError: Writing `output` would fail or destroy something.
    """
    check_target(input, output, overwrite)
    return choose_container(output, container)
