"""The files of an output that is one picture or a numbered sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from vidrestore.errors import InputError, UsageError
from vidrestore.video.formats.image_sequence import is_pattern, parse_pattern
from vidrestore.video.reading.input import Input
from vidrestore.video.writing.atomic_output import (
    make_target,
    no_frames_message,
    single_picture_message,
    write_error,
)


class PictureFiles:
    """Temporary files that are put in place when all are complete, and removed after an error.

    Used in a `with` block. Raises OutputError, UsageError and InputError.
    """

    def __init__(self, output: Path, source: Input, *, first: int, overwrite: bool) -> None:
        """`first`: number of a sequence's first picture; `overwrite`: whether existing ones are replaced."""
        self._output, self._source = output, source
        self._target = make_target(output, first=first, overwrite=overwrite)
        self._many = is_pattern(output)
        self._number = first
        self._written = 0

    def __enter__(self) -> Self:
        with ExitStack() as undo, self._user_errors():
            undo.callback(self._target.remove)
            self._target.begin()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._undo as undo, self._user_errors():
            if error is not None:
                return
            if not self._written:
                raise InputError(no_frames_message(self._source.path))
            self._source.check_unchanged()
            self._target.commit()
            undo.pop_all()

    def write(self, save: Callable[[Path], None]) -> None:
        """Calls `save` with the temporary path of the next picture."""
        if self._written and not self._many:
            raise UsageError(single_picture_message(self._output, self._source.path))
        path = self._target.temporary
        if self._many:
            path = parse_pattern(path).path(self._number + self._written)
        with self._user_errors():
            save(path)
        self._written += 1

    @contextmanager
    def _user_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise (write_error(self._output, error) or error) from error
