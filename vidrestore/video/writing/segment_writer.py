"""Encodes frames into a part: one segment of a video stream, in a file of its own (`packet_file`)."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import av

from vidrestore.errors import ProcessingError
from vidrestore.runtime.file_kinds import kind_of
from vidrestore.types import Frame, VideoInfo
from vidrestore.video.formats.containers import choose_container
from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing.atomic_output import place_output, write_error
from vidrestore.video.writing.packet_file import PacketFile
from vidrestore.video.writing.video_encoder import VideoEncoder

_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)


class SegmentWriter:
    """Encodes frames into a part of `output` at `path`, which gets its name when it is complete.

    Used in a `with` block, with the arguments of `VideoWriter`. Raises OutputError, UsageError and
    ProcessingError.
    """

    def __init__(
        self,
        path: Path,
        output: Path,
        info: VideoInfo,
        *,
        source: Input,
        side_data: SideData | None = None,
        container: str | None,
        start: float | None,
        quality: int | None = None,
        **encoding: Any,
    ) -> None:
        """`quality` is for pictures only: `make_writer` refuses it for videos."""
        self._path, self._output = path, output
        self._temporary = path.with_name(path.name + ".new")
        self._input, self._start = source, start
        self._muxer = choose_container(output, container)
        held = side_data or look_at(source).side_data
        self._encoder = VideoEncoder(output, info, held, muxer=self._muxer, **encoding)
        self.bytes = 0
        """Size of the complete file."""
        self.crc = 0
        """Checksum of the complete file's content."""

    @property
    def frames(self) -> int:
        """Number of frames written so far."""
        return self._encoder.frames

    def __enter__(self) -> Self:
        with ExitStack() as undo, self._user_errors():
            undo.callback(self._remove)
            # A container of the output's kind configures the encoder, as some need global headers; that
            # container is never written.
            container = undo.enter_context(av.open(io.BytesIO(), "w", format=self._muxer))
            opened = undo.enter_context(demuxer.open_container(self._input))
            video = stream_info.video_stream(opened, self._input)
            self._encoder.add_to(container, video)
            self._time_range = stream_info.time_range_of(video, self._input, self._start, None)
            self._file = undo.enter_context(_open_new(self._temporary))
            self._out = PacketFile(self._file, self._encoder.stream.codec_context.extradata or b"")
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._undo, self._user_errors():
            if error is not None:
                return
            self._out.write(self._encoder.flush())
            self.bytes = self._out.end()
            self.crc = self._out.crc
            self._file.close()
            place_output(self._temporary, self._path, overwrite=True)

    def write(self, frame: Frame) -> None:
        """Encodes the frame."""
        with self._user_errors():
            self._out.write(self._encoder.encode(frame, self._time_range.shift(frame.time_base)))

    def _remove(self) -> None:
        _remove_own(self._temporary)

    @contextmanager
    def _user_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            if (user_error := write_error(self._path, error)) is not None:
                raise user_error from error
            raise ProcessingError(f"encoding a part of {self._output} failed: {error}") from error


def _open_new(path: Path) -> BinaryIO:
    """Opens a new file for writing; it replaces an earlier file or link, but never the target of a link."""
    _remove_own(path)
    return os.fdopen(os.open(path, _CREATE, 0o666), "wb")


def _remove_own(path: Path) -> None:
    with suppress(OSError):
        if kind_of(path) == "file":
            path.unlink()
