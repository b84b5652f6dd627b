"""Frames in, OpenEXR pictures out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from vidrestore.errors import InputError, UsageError
from vidrestore.faces.orientation import apply_orientation
from vidrestore.types import FloatArray, Frame, VideoInfo
from vidrestore.video.exr import exr_file
from vidrestore.video.formats.containers import IMAGES
from vidrestore.video.formats.image_sequence import is_pattern, parse_pattern
from vidrestore.video.reading import side_data
from vidrestore.video.reading.input import Input
from vidrestore.video.writing import encoder_metadata, stream_copy
from vidrestore.video.writing.atomic_output import (
    check_paths,
    make_target,
    no_frames_message,
    single_picture_message,
    write_error,
)
from vidrestore.video.writing.encoder_metadata import metadata_warnings


class ExrWriter:
    """Writes each frame as light in half floats, single where the input has them; as `VideoWriter` otherwise.

    Of an EXR input, what no face changes is written as the floats it was read as.
    """

    def __init__(
        self, output: Path, info: VideoInfo, *, source: Input, overwrite: bool = False, first: int = 1
    ) -> None:
        check_paths(info.path, output, overwrite)
        self.other_streams_end: Fraction | None = None
        others = list(dict.fromkeys(info.other_streams))
        left_out_warning = [stream_copy.left_out_warning(others, info.path, IMAGES)] if others else []
        aspect = 1 / info.pixel_aspect if info.orientation.is_transposed else info.pixel_aspect
        self.warnings = [
            *left_out_warning,
            *metadata_warnings(info, aspect, IMAGES, "exr", ".exr files"),
            *encoder_metadata.hdr_warnings("exr", side_data.read_first_picture(source)),
        ]
        self._output = output
        self._info = info
        self._source = source
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
                raise InputError(no_frames_message(self._info.path))
            self._target.commit()
            undo.pop_all()

    def write(self, frame: Frame) -> None:
        if self._written and not self._many:
            raise UsageError(single_picture_message(self._output, self._info.path))
        path = self._target.temporary
        if self._many:
            path = parse_pattern(path).path(self._number + self._written)
        light = self._light(frame)
        with self._user_errors():
            exr_file.save(path, light, half=self._info.profile != "single")
        self._written += 1

    @contextmanager
    def _user_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise (write_error(self._output, error) or error) from error

    def _light(self, frame: Frame) -> FloatArray:
        if not self._source.is_exr:
            return apply_orientation(exr_file.light_from_video(frame), frame.orientation)
        original = exr_file.load(exr_file.picture_path(self._source, frame))
        times = frame.width // original.shape[1]  # twice as wide side by side
        return exr_file.apply_changes(np.concatenate([original] * times, axis=1), frame)
