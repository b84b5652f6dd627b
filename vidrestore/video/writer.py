"""Frames in, a file out, with everything else of the input file in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vidrestore.errors import InputError, OutputError, ProcessingError, UsageError
from vidrestore.orientation import turned
from vidrestore.types import UPRIGHT, Frame, VideoInfo
from vidrestore.video import formats, picture_facts, source, tagging
from vidrestore.video.container import IMAGES, ISO_MEDIA, MATROSKA, STDOUT, choose_container
from vidrestore.video.encoder import BY_COUNT, quality_options
from vidrestore.video.frame_times import FrameTimes
from vidrestore.video.input import Input
from vidrestore.video.match import choose_codec
from vidrestore.video.painter import Painter
from vidrestore.video.paths import check_paths
from vidrestore.video.sequence import is_pattern
from vidrestore.video.streams import StreamCopy, describing
from vidrestore.video.target import cannot_write, make_target, no_frames, one_picture
from vidrestore.video.unstated import unstated

_TOO_FEW_FOR_X265 = 2
"""Of so few frames x265 leaves the decoding times to chance: it never gets to fill them in."""
_TIMELESS = {"yuv4mpegpipe", "rawvideo", IMAGES}
"""Where a frame's time follows from its number alone."""
_MAX_TIMESCALE = 2**31 - 1
_FULL, _LIMITED = 2, 1


class VideoWriter:
    """Encodes frames and copies all other streams of `info.path`, under a temporary name until it is whole.

    A context manager: leaving it cleanly puts the file in place, leaving it by an exception removes it.
    `codec` is an encoder's name, or `match`: like the input's. `crf` None is visually lossless for the
    encoder. `source` is what `info` was probed of, where that is not simply a file. `width` and `height`
    default to the input's. With `start` and `end` [seconds], the frames written must be those `read_frames`
    gives for the same values.
    Timestamps are the frames' own, less `start`. Raises OutputError, UsageError; ProcessingError where
    encoding breaks off.
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
        source: Input | None = None,
        overwrite: bool = False,
        width: int | None = None,
        height: int | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> None:
        check_paths(info.path, output, overwrite, container)
        self.warnings: list[str] = []
        """What the output does not have of the input, one sentence each; known once the writer is entered."""
        self._output = output
        self._info = info
        self._source = source or Input(path=info.path)
        self._muxer = choose_container(output, container)
        self._width = width or info.width
        self._height = height or info.height
        # Files of pictures say nothing of how to turn them.
        self._turn = info.orientation if self._muxer == IMAGES else UPRIGHT
        painted, self._coded_size = info.pixel_format, (self._width, self._height)
        if self._turn.is_transposed:
            painted, self._coded_size = formats.transposed(painted), (self._height, self._width)
        extension = output.suffix.lower().removeprefix(".")
        choice = choose_codec(
            codec, replace(info, pixel_format=painted), self._muxer, extension, self._coded_size
        )
        self._encoding = choice.encoding
        self._choice = choice
        self._options = quality_options(self._encoding.codec, crf, preset, choice.options)
        self._painter = Painter(self._encoding, painted, info.colour, info.height)
        self._first = picture_facts.of_first_picture(self._source)
        self._field_flags = tagging.FieldFlags(info.field_order)
        self._start, self._end = start, end
        self._target = make_target(output, first=self._source.first_number(info.frame_rate, start))
        self._range = _LIMITED
        self._frames = 0
        self._times = FrameTimes(
            info, numbers=self._encoding.codec in BY_COUNT, timeless=self._muxer in _TIMELESS
        )

    def __enter__(self) -> Self:
        with ExitStack() as undo, self._sentences():
            undo.callback(self._target.remove)
            self._container = self._target.open(self._muxer, self._container_options())
            undo.callback(_close_quietly, self._container)
            self._copy = StreamCopy(self._source, self._container, start=self._start, end=self._end)
            undo.callback(self._copy.close)
            self._copy.add_streams(self._add_video)
            self.warnings = [
                *self._choice.warnings,
                *self._copy.left_out(),
                *self._unstated(),
                *tagging.lost(self._encoding.codec, self._first),
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
        with self._undo as undo, self._sentences():
            if error is not None:
                return
            if not self._frames:
                raise InputError(no_frames(self._info.path))
            self._mux(self._last_packets())
            self._copy.finish()
            self.warnings += self._copy.damages()
            if self._muxer in _TIMELESS and self._times.is_uneven:
                self.warnings.append(f"{self._kind()} state no times, and the input's frames come unevenly")
            self._container.close()
            self._target.put_in_place()
            undo.pop_all()
            self._copy.close()

    @property
    def _aspect(self) -> Fraction:
        return 1 / self._info.pixel_aspect if self._turn.is_transposed else self._info.pixel_aspect

    @property
    def beside_until(self) -> Fraction | None:
        """Seconds at which what was copied so far beside the video ends, or None."""
        return self._copy.until

    def write(self, frame: Frame) -> None:
        """Encodes the frame and carries the other streams on to its time."""
        expected = (self._width, self._height, self._info.pixel_format)
        if (frame.width, frame.height, frame.format) != expected:
            raise ValueError(f"expected {expected}, got {(frame.width, frame.height, frame.format)}")
        if self._frames and self._muxer == IMAGES and not is_pattern(self._output):
            raise UsageError(one_picture(self._output, self._info.path))
        with self._sentences():
            planes = [turned(plane, self._turn) for plane in frame.planes]
            picture = self._field_flags.flagged(self._painter.paint(planes))
            self._times.stamp(picture, frame, self._copy.cut.shift(frame.time_base))
            self._tag(picture)
            self._mux(self._stream.encode(picture))
        self._frames += 1

    def _last_packets(self) -> list[Packet[VideoStream]]:
        packets = self._stream.encode(None)
        if self._encoding.codec == "libx265" and self._frames <= _TOO_FEW_FOR_X265:
            for packet in packets:
                packet.dts = packet.pts
        return packets

    def _container_options(self) -> dict[str, str]:
        """Options by which the container keeps timestamps as they are."""
        if self._muxer in MATROSKA:
            # Sound often begins a little before 0; the muxer would move the whole film to make up for it.
            return {"avoid_negative_ts": "disabled"}
        if self._muxer not in ISO_MEDIA:
            return {"strict": "-1"} if self._muxer == "yuv4mpegpipe" else {}  # more than 8 bits
        options = {"movflags": "+faststart"}
        ticks = self._info.time_base.denominator
        if self._info.time_base.numerator == 1 and ticks <= _MAX_TIMESCALE:
            options["video_track_timescale"] = str(ticks)
            # Durations and late starts are written in ticks of the film, a millisecond if nothing is said.
            options["movie_timescale"] = str(ticks)
        with source.open_source(self._source) as given:
            if self._start or any(stream.start_time for stream in given.streams):
                all_ticks = math.lcm(ticks, *(source.time_base(s).denominator for s in given.streams.audio))
                options["movie_timescale"] = str(all_ticks if all_ticks <= _MAX_TIMESCALE else ticks)
        return options

    def _add_video(self) -> None:
        given = self._copy.video
        codec = self._encoding.codec
        try:
            stream = self._container.add_stream(
                codec, rate=self._info.frame_rate.limit_denominator(1 << 16), options=self._options
            )
        except ValueError as error:
            raise OutputError(
                f"{self._kind()} cannot hold {codec} video; choose an output name that ends in "
                f"{'.mov' if self._muxer == 'matroska' else '.mkv'}"
            ) from error
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height = self._coded_size
        context.pix_fmt = self._encoding.pixel_format
        context.time_base = self._times.encoder_base
        stream.time_base = self._times.stream_base
        context.sample_aspect_ratio = self._aspect
        order = self._info.field_order
        context.field_order = tagging.field_order_code(order, given.codec_context.field_order)
        tagging.code_fields(context, order)
        context.options = self._options | tagging.encoder_options(
            codec, order, self._painter.colour, self._first.hdr
        )
        context.thread_type = "AUTO"
        # What the input leaves unsaid stays unsaid.
        colour = self._painter.colour
        unsaid = colour == self._info.colour and not colour.full_range and not given.color_range
        self._range = 0 if unsaid else _FULL if colour.full_range else _LIMITED
        self._tag(context)
        if codec == "libx265" and self._muxer in ISO_MEDIA:
            context.codec_tag = "hvc1"  # Apple's players take no other
        stream.metadata.update(describing(given))
        stream.disposition = given.disposition
        if self._first.matrix is not None and self._turn == UPRIGHT:
            stream.set_display_matrix(self._first.matrix)
        self._stream = stream
        try:
            context.open()
        except (av.FFmpegError, ValueError) as error:
            options = ", ".join(f"{name} {value}" for name, value in self._options.items()) or "its defaults"
            raise UsageError(
                f"the encoder {codec} does not start with {options} for {self._width}x{self._height} "
                f"{self._encoding.pixel_format} video; try another --preset, --crf or --codec"
            ) from error

    def _write_header(self) -> None:
        try:
            self._container.start_encoding()
        except (av.error.InvalidDataError, av.error.ArgumentError) as error:
            raise OutputError(
                f"{self._kind()} cannot hold this video; choose an output name that ends in .mkv"
            ) from error

    def _unstated(self) -> list[str]:
        return unstated(self._info, self._aspect, self._muxer, self._encoding.codec, self._kind())

    def _kind(self) -> str:
        if self._output.suffix and str(self._output) != STDOUT:
            return f"{self._output.suffix} files"
        return f"{self._muxer} streams"

    def _tag(self, target: av.VideoFrame | av.VideoCodecContext) -> None:
        colour = self._painter.colour
        target.colorspace = colour.matrix
        target.color_primaries = colour.primaries
        target.color_trc = colour.transfer
        target.color_range = self._range

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            self._times.restamp(packet)
            seen = packet.dts if packet.dts is not None else packet.pts
            self._copy.advance((seen or 0) * Fraction(packet.time_base))
            self._container.mux(packet)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            if (told := cannot_write(self._output, error)) is not None:
                raise told from error
            raise ProcessingError(
                f"encoding {self._output} with {self._encoding.codec} broke off: {error}"
            ) from error


def _close_quietly(container: OutputContainer) -> None:
    """Closes what will be removed anyway; an error that led here is the one to be told."""
    try:
        container.close()
    except (av.FFmpegError, OSError):
        return
