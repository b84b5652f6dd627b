"""Writes frames to a file, with all other streams and metadata of the input."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vidrestore.errors import InputError, OutputError, ProcessingError, UsageError
from vidrestore.types import Frame, VideoInfo
from vidrestore.video.formats.containers import IMAGES, ISO_MEDIA, MATROSKA, RAW, STDOUT, choose_container
from vidrestore.video.formats.image_sequence import is_pattern
from vidrestore.video.formats.pieces import PIECES, Handling, handling
from vidrestore.video.reading import stream_info
from vidrestore.video.reading.animation import read_animation
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.pieces_found import pieces_of_track
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing import file_tags, iso_profile, iso_stereo
from vidrestore.video.writing.atomic_output import (
    check_paths,
    make_target,
    no_frames_message,
    single_picture_message,
    write_error,
)
from vidrestore.video.writing.stream_copy import StreamCopy
from vidrestore.video.writing.video_encoder import TIMELESS, VideoEncoder

# Keys of pieces that belong to streams, have warnings of their own, are wrong for pictures side by side.
_OF_TRACKS = {"track titles", "languages", "roles", "timecode"}
_WARNED_OF_ELSEWHERE = {"HDR10", "HDR10+", "Dolby Vision"}
_OF_THE_WHOLE_PICTURE = {"stereo", "spherical", "cropping"}
_MAX_TIMESCALE = 2**31 - 1


class VideoWriter:
    """Encodes frames and copies all other streams of the input, to a temporary file until it is complete.

    Used in a `with` block: leaving it without an error puts the file in place, leaving it with an exception
    removes it. Timestamps are the frames' own minus `start`.

    Args:
        output: The file to write.
        info: Properties of the input.
        codec: An encoder's name, or `match`: like the input's.
        crf: Quality; None: visually lossless.
        preset: The encoder's preset.
        container: The container's name; None: by the output's suffix.
        muxer: The output's muxer from `check_paths`, if known.
        source: The input that `info` describes, if it is not a plain file.
        side_data: The input's side data, if known.
        overwrite: Whether an existing file is replaced.
        width: Width of the frames; None: the input's.
        height: Height of the frames; None: the input's.
        start: The frames must be those of `read_frames` with the same `start`.
        end: The frames must be those of `read_frames` with the same `end`.
        is_alone: Whether the output has no other streams than the video.

    Raises:
        OutputError, UsageError: The output cannot be written with these arguments.
        ProcessingError: Encoding fails.
    """

    def __init__(
        self,
        output: Path,
        info: VideoInfo,
        *,
        codec: str = "libx264",
        crf: float | None = None,
        preset: str | None = None,
        container: str | None = None,
        muxer: str | None = None,
        source: Input | None = None,
        side_data: SideData | None = None,
        overwrite: bool = False,
        width: int | None = None,
        height: int | None = None,
        start: float | None = None,
        end: float | None = None,
        is_alone: bool = False,
    ) -> None:
        self.warnings: list[str] = []
        """A warning for each loss against the input; complete when the `with` block is entered."""
        self._output = output
        self._info = info
        self._source = source or Input(path=info.path)
        self._muxer = muxer or check_paths(info.path, output, overwrite, container)
        self._side_data = side_data or look_at(self._source).side_data
        self._encoder = VideoEncoder(
            output,
            info,
            self._side_data,
            muxer=self._muxer,
            codec=codec,
            crf=crf,
            preset=preset,
            width=width or info.width,
            height=height or info.height,
        )
        self._name_warning = [] if container is None else _name_warning(output, container, self._muxer)
        self._start, self._end, self._is_alone = start, end, is_alone
        first = self._source.first_number(info.frame_rate, start)
        self._target = make_target(output, first=first, overwrite=overwrite)
        self._is_empty = True
        self._animation = read_animation(self._source)

    def __enter__(self) -> Self:
        with ExitStack() as undo, self._user_errors():
            undo.callback(self._target.remove)
            self._target.begin()
            self._copy = StreamCopy(self._source, start=self._start, end=self._end)
            undo.callback(self._copy.close)
            self._container = self._target.open(self._muxer, self._container_options())
            undo.callback(_close_quietly, self._container)
            self._copy.add_streams(
                self._container,
                lambda: self._encoder.add_to(self._container, self._copy.video),
                with_others=not self._is_alone,
            )
            self.warnings = [
                *self._name_warning,
                *self._encoder.codec_warnings(),
                *self._copy.left_out_warning(),
                *self._encoder.metadata_warnings(),
                *self._lost_pieces_warning(),
            ]
            self._write_header()
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
            if self._is_empty:
                raise InputError(no_frames_message(self._info.path))
            if self._encoder.frames:
                self._mux(self._encoder.flush())
            self._copy.finish()
            self.warnings += self._copy.damage_warnings()
            for name in sorted(PIECES[key].name for key in self._encoder.lost_pieces):
                if not any(name in warning for warning in self.warnings):
                    self.warnings.append(f"{self._encoder.codec} cannot hold the {name}")
            if self._muxer in TIMELESS and self._encoder.is_uneven:
                self.warnings.append(
                    f"{self._encoder.kind} store no times, and the input's frame rate is not constant"
                )
            self._container.close()
            self._source.check_unchanged()
            if self._muxer in ISO_MEDIA and self._encoder.is_marked:
                iso_stereo.hide_second_mark(self._target.temporary)
            self._target.commit()
            undo.pop_all()
            self._copy.close()

    @property
    def other_streams_end(self) -> Fraction | None:
        """End of the copied packets so far [s], or None."""
        return self._copy.end_time

    @property
    def codec(self) -> str:
        """The encoder's name."""
        return self._encoder.codec

    @property
    def extradata(self) -> bytes:
        """The encoder's global header."""
        return self._encoder.stream.codec_context.extradata or b""

    def write(self, frame: Frame) -> None:
        """Encodes the frame and copies the other streams up to its time."""
        if not self._is_empty and self._muxer == IMAGES and not is_pattern(self._output):
            raise UsageError(single_picture_message(self._output, self._info.path))
        with self._user_errors():
            self._mux(self._encoder.encode(frame, self._copy.time_range.shift(frame.time_base)))
        self._is_empty = False

    def write_packets(self, packets: Iterable[Packet[VideoStream]]) -> None:
        """Writes packets from an encoder with the same settings, instead of calling `write`."""
        with self._user_errors():
            for packet in packets:
                packet.stream = self._encoder.stream
                self._mux([packet])
                self._is_empty = False

    def _container_options(self) -> dict[str, str]:
        """Container options that keep timestamps unchanged."""
        if self._muxer in MATROSKA:
            # Sound often starts a little before 0; the muxer would shift the whole video for it.
            return {"avoid_negative_ts": "disabled"}
        if (plays := self._animation.plays) is not None and self._muxer in ("gif", "apng"):
            # GIF counts repetitions; without an entry it is shown once.
            repetitions = {0: 0, 1: -1}.get(plays, plays - 1)
            return {"loop": str(repetitions)} if self._muxer == "gif" else {"plays": str(plays)}
        if self._muxer not in ISO_MEDIA:
            return {"strict": "-1"} if self._muxer == "yuv4mpegpipe" else {}  # more than 8 bits
        options = {"movflags": "+faststart" + file_tags.movflags(self._muxer, self._copy.tags())}
        if self._encoder.may_have_profile:
            options["movflags"] += iso_profile.MUXER_FLAG
        if not self._encoder.resized:
            options["strict"] = "unofficial"  # needed for stereo and 360 degrees; otherwise without effect
        ticks = self._info.time_base.denominator
        if self._info.time_base.numerator == 1 and ticks <= _MAX_TIMESCALE:
            options["video_track_timescale"] = str(ticks)
            # Durations and late starts are written in this time base; its default is a millisecond.
            options["movie_timescale"] = str(ticks)
        input_streams = self._copy.all_streams
        if self._start or any(stream.start_time for stream in input_streams):
            all_ticks = math.lcm(
                ticks, *(stream_info.time_base(stream).denominator for stream in input_streams.audio)
            )
            options["movie_timescale"] = str(all_ticks if all_ticks <= _MAX_TIMESCALE else ticks)
        return options

    def _lost_pieces_warning(self) -> list[str]:
        """The warning about lost pieces that have no warning of their own."""
        if self._muxer == IMAGES:
            return []
        plays = {"plays"} if self._animation.plays not in (None, 1) else set()
        found = self._side_data.pieces | self._animation.pieces | plays
        lost = [key for key in PIECES if key in found and key not in _WARNED_OF_ELSEWHERE]
        if self._muxer in RAW:
            lost = [key for key in lost if key != "rotation"]  # `metadata_warnings` names these
            # Other tracks are left out completely, and are named.
            lost = [key for key in lost if key not in _OF_TRACKS or key in pieces_of_track(self._copy.video)]
        names = [PIECES[key].name for key in lost if self._handling(key) == "named"]
        tags = file_tags.lost_tags(self._muxer, self._copy.tags())
        if tags:
            names.append(f"the {'tag' if len(tags) == 1 else 'tags'} {', '.join(tags)}")
        return (
            [f"of {self._info.path.name} {self._encoder.kind} cannot hold: {', '.join(names)}"]
            if names
            else []
        )

    def _handling(self, key: str) -> Handling:
        if key in _OF_THE_WHOLE_PICTURE and self._encoder.resized:
            return "named"
        return handling(key, self._muxer, self._encoder.codec)

    def _write_header(self) -> None:
        try:
            self._container.start_encoding()
        except (av.error.InvalidDataError, av.error.ArgumentError) as error:
            raise OutputError(
                f"{self._encoder.kind} cannot hold this video; choose an output name that ends in .mkv"
            ) from error

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            dts = packet.dts if packet.dts is not None else packet.pts
            self._copy.advance((dts or 0) * Fraction(packet.time_base))
            self._container.mux(packet)

    @contextmanager
    def _user_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            if (user_error := write_error(self._output, error)) is not None:
                raise user_error from error
            raise ProcessingError(
                f"encoding {self._output} with {self._encoder.codec} failed: {error}"
            ) from error


def _name_warning(output: Path, container: str, muxer: str) -> list[str]:
    """A warning if the name's suffix stands for another container than the requested one."""
    try:
        by_suffix = choose_container(output, None)
    except OutputError:
        return []  # it has no known suffix
    if str(output) == STDOUT or by_suffix == muxer:
        return []
    return [f"{output.name} is written as {container} because of --container, although its suffix differs"]


def _close_quietly(container: OutputContainer) -> None:
    """Closes a container that will be removed; errors are ignored in favour of the first one."""
    try:
        container.close()
    except (av.FFmpegError, OSError):
        return
