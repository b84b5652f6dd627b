"""Encodes frames to packets of the output's video stream: the encoding part of a writer."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from vidrestore.errors import OutputError, UsageError
from vidrestore.faces.orientation import apply_orientation
from vidrestore.runtime.environment import default_variable
from vidrestore.runtime.scheduling import keep_scheduling
from vidrestore.types import UPRIGHT, Frame, VideoInfo
from vidrestore.video.formats import pixel_formats
from vidrestore.video.formats.containers import (
    IMAGES,
    ISO_MEDIA,
    MATROSKA,
    STDOUT,
    extension_for,
    identifies_encoder,
)
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing import encoder_metadata, iso_profile, stream_marks, user_data
from vidrestore.video.writing.codec_choice import choose_codec
from vidrestore.video.writing.copied_stream import video_metadata
from vidrestore.video.writing.encoder_metadata import metadata_warnings
from vidrestore.video.writing.encoders import BY_COUNT, quality_options
from vidrestore.video.writing.pixel_conversion import PixelConverter
from vidrestore.video.writing.timestamps import FrameTimes

TIMELESS = {"yuv4mpegpipe", "rawvideo", IMAGES}
"""Containers in which a frame's time follows from its number."""
_TOO_FEW_FOR_X265 = 2
"""With fewer frames, decoding times by x265 are random: it never sets them."""
_FULL, _LIMITED = 2, 1
_ALPHA_BESIDE = {"libvpx", "libvpx-vp9"}
"""Encoders that store alpha in separate packets, which Matroska marks in its header."""


class VideoEncoder:
    """The video stream of an output: its encoder, metadata and packets.

    Raises UsageError, DeviceError or OutputError if `output` cannot hold it.
    """

    def __init__(
        self,
        output: Path,
        info: VideoInfo,
        side_data: SideData,
        *,
        muxer: str,
        codec: str,
        crf: float | None,
        preset: str | None,
        width: int,
        height: int,
    ) -> None:
        """`side_data`: the input's; `width`, `height`: of the frames; others as for `VideoWriter`."""
        self._output, self._info, self._muxer = output, info, muxer
        self._width, self._height = width, height
        # Files of pictures have no rotation metadata.
        self._turn = info.orientation if muxer == IMAGES else UPRIGHT
        pixel_format, self._coded_size = info.pixel_format, (width, height)
        if self._turn.is_transposed:
            pixel_format, self._coded_size = pixel_formats.transposed(pixel_format), (height, width)
        extension = output.suffix.lower().removeprefix(".")
        choice = choose_codec(
            codec, replace(info, pixel_format=pixel_format), muxer, extension, self._coded_size
        )
        self._encoding, self._choice = choice.encoding, choice
        self._options = quality_options(self._encoding.codec, crf, preset, choice.options)
        self._padded_size = choice.coded_size or self._coded_size
        self._converter = PixelConverter(
            self._encoding, pixel_format, info.colour, info.height, choice.coded_size
        )
        self._side_data = side_data
        self._field_flags = encoder_metadata.FieldFlags(info.field_order)
        self._range = _LIMITED
        self._input_size = (
            (info.height, info.width) if self._turn.is_transposed else (info.width, info.height)
        )
        self._user_data: dict[int, tuple[bytes, int | None]] = {}
        """Captions and active format by the times of the pictures in the encoder."""
        self.lost_pieces: set[str] = set()
        """Keys of `formats/pieces.py` for what pictures had and the codec cannot hold."""
        self.is_marked = False
        """Whether the stream is marked as stereo."""
        self._times = FrameTimes(info, numbers=self.codec in BY_COUNT, timeless=muxer in TIMELESS)
        self.frames = 0
        """Number of frames encoded so far."""

    @property
    def codec(self) -> str:
        """The encoder's name."""
        return self._encoding.codec

    @property
    def kind(self) -> str:
        """The name of the output's kind, for messages."""
        if self._output.suffix and str(self._output) != STDOUT:
            return f"{self._output.suffix} files"
        return f"{self._muxer} streams"

    @property
    def stream(self) -> VideoStream:
        """The stream in the container, once it is added."""
        return self._stream

    @property
    def is_uneven(self) -> bool:
        """Whether a frame so far was more than half a frame away from a constant rate."""
        return self._times.is_uneven

    @property
    def may_have_profile(self) -> bool:
        """Whether the input has a colour profile in its header, and the output can have one."""
        possible = self._muxer in ISO_MEDIA and self.codec in iso_profile.CODECS
        return possible and "ICC" in self._side_data.pieces

    def codec_warnings(self) -> tuple[str, ...]:
        """Warnings about what the encoder cannot keep of the input's format."""
        return tuple(self._choice.warnings)

    def metadata_warnings(self) -> list[str]:
        """A warning for each property of the picture that the output does not store."""
        return [
            *metadata_warnings(self._info, self._aspect, self._muxer, self.codec, self.kind),
            *encoder_metadata.hdr_warnings(self.codec, self._side_data, self._muxer),
        ]

    def add_to(self, container: OutputContainer, source_stream: VideoStream) -> None:
        """Adds the stream, with the metadata of the input's `source_stream`, and opens the encoder."""
        stream = self._add_stream(container)
        context = stream.codec_context
        self._mark(stream, source_stream)
        context.width, context.height = self._padded_size
        context.pix_fmt = self._encoding.pixel_format
        context.time_base = self._times.encoder_base
        stream.time_base = self._times.stream_base
        context.sample_aspect_ratio = self._aspect
        if self._muxer == "avi":
            context.max_b_frames = 0  # AVI has no presentation times: reordered pictures would be late
        order = self._info.field_order
        context.field_order = encoder_metadata.field_order_code(
            order, source_stream.codec_context.field_order
        )
        encoder_metadata.code_fields(context, order)
        context.options = self._options | encoder_metadata.encoder_options(
            self.codec, order, self._converter.colour, self._side_data.hdr
        )
        context.thread_type = "AUTO"
        # Properties that the input does not state are not stated.
        colour = self._converter.colour
        is_unstated = colour == self._info.colour and not colour.full_range and not source_stream.color_range
        self._range = 0 if is_unstated else _FULL if colour.full_range else _LIMITED
        self._tag(context)
        if self.codec == "libx265" and self._muxer in ISO_MEDIA:
            context.codec_tag = "hvc1"  # Apple's players accept only this code
        stream.metadata.update(video_metadata(source_stream))
        if self._encoding.format.has_alpha and self._muxer in MATROSKA and self.codec in _ALPHA_BESIDE:
            stream.metadata["alpha_mode"] = "1"
        stream.disposition = source_stream.disposition
        if self._side_data.matrix is not None and self._turn == UPRIGHT:
            stream.set_display_matrix(self._side_data.matrix)
        self._stream = stream
        self._open(context)

    def encode(self, frame: Frame, shift: int) -> list[Packet[VideoStream]]:
        """The packets that the encoder returns for the frame, whose time is shifted back by `shift` ticks."""
        expected = (self._width, self._height, self._info.pixel_format)
        if (frame.width, frame.height, frame.format) != expected:
            raise ValueError(f"expected {expected}, got {(frame.width, frame.height, frame.format)}")
        planes = [apply_orientation(plane, self._turn) for plane in frame.planes]
        picture = self._field_flags.flag(self._converter.convert(planes))
        self._times.stamp(picture, frame, shift)
        if frame.captions or frame.active_format is not None:
            self._user_data[frame.pts - shift] = frame.captions, frame.active_format
        self._tag(picture)
        self.frames += 1
        return self._restamp(self._stream.encode(picture))

    @property
    def resized(self) -> bool:
        """Whether its pictures contain more than the input's."""
        return self._coded_size != self._input_size

    def _mark(self, stream: VideoStream, source_stream: VideoStream) -> None:
        """Copies the marks in the input's container header."""
        if self._muxer not in stream_marks.CONTAINERS:
            return
        marks = stream_marks.read_marks(source_stream)
        marks = _enlarged_cropping(marks, self._info.width // (source_stream.codec_context.width or 1))
        if self.resized:
            marks = {id_: content for id_, content in marks.items() if id_ == stream_marks.COLOUR}
        if self._side_data.hdr is not None:
            marks[stream_marks.COLOUR] = stream_marks.hdr_mark(self._side_data.hdr)
        self.is_marked = stream_marks.STEREO in marks
        stream_marks.mark(stream, self.codec, marks, *self._coded_size)
        if not marks and self.may_have_profile and (profile := iso_profile.read_profile(source_stream)):
            iso_profile.set_profile(stream, self.codec, profile, *self._coded_size)
        elif "ICC" in self._side_data.pieces:
            self.lost_pieces.add("ICC")

    def flush(self) -> list[Packet[VideoStream]]:
        """The packets that are still in the encoder."""
        packets = self._stream.encode(None)
        if self.codec == "libx265" and self.frames <= _TOO_FEW_FOR_X265:
            for packet in packets:
                packet.dts = packet.pts
        return self._restamp(packets)

    @property
    def _aspect(self) -> Fraction:
        return 1 / self._info.pixel_aspect if self._turn.is_transposed else self._info.pixel_aspect

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        if not identifies_encoder(container.format.name, self.codec):
            raise self._unheld_error()
        rate = self._info.frame_rate.limit_denominator(1 << 16)
        try:
            stream = container.add_stream(self.codec, rate=rate, options=self._options)
        except ValueError as error:
            raise self._unheld_error() from error
        assert isinstance(stream, VideoStream)
        return stream

    def _unheld_error(self) -> OutputError:
        extension = extension_for(self.codec)
        advice = f"an output name that ends in {extension}" if extension else "another --codec"
        return OutputError(f"{self.kind} cannot hold {self.codec} video; choose {advice}")

    def _open(self, context: av.VideoCodecContext) -> None:
        try:
            # SVT-AV1 would write a page to standard error: 1 stands for errors only.
            quiet = default_variable("SVT_LOG", "1") if self.codec == "libsvtav1" else nullcontext()
            with quiet, keep_scheduling():
                context.open()
        except (av.FFmpegError, ValueError) as error:
            options = ", ".join(f"{name} {value}" for name, value in self._options.items()) or "its defaults"
            raise UsageError(
                f"the encoder {self.codec} does not start with {options} for {self._width}x{self._height} "
                f"{self._encoding.pixel_format} video; try another --preset, --crf or --codec"
            ) from error

    def _tag(self, target: av.VideoFrame | av.VideoCodecContext) -> None:
        colour = self._converter.colour
        target.colorspace = colour.matrix
        target.color_primaries = colour.primaries
        target.color_trc = colour.transfer
        target.color_range = self._range

    def _with_user_data(self, packet: Packet[VideoStream]) -> Packet[VideoStream]:
        """The packet with its picture's user data, as far as the codec can hold it."""
        if packet.pts is None:
            return packet
        captions, active_format = self._user_data.pop(packet.pts, (b"", None))
        if captions and self.codec not in user_data.CAPTION_ENCODERS:
            self.lost_pieces.add("captions")
            captions = b""
        if active_format is not None and self.codec not in user_data.ACTIVE_FORMAT_ENCODERS:
            self.lost_pieces.add("picture format")
            active_format = None
        if not captions and active_format is None:
            return packet
        content = user_data.with_user_data(bytes(packet), self.codec, captions, active_format)
        extended = cast("Packet[VideoStream]", Packet(content))
        extended.pts, extended.dts, extended.duration = packet.pts, packet.dts, packet.duration
        extended.time_base, extended.is_keyframe = packet.time_base, packet.is_keyframe
        extended.stream = packet.stream
        return extended

    def _restamp(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        for packet in packets:
            self._times.restamp(packet)
        return [self._with_user_data(packet) for packet in packets]


def _enlarged_cropping(marks: dict[int, bytes], factor: int) -> dict[int, bytes]:
    """The marks, with cropping in pixels of frames that are `factor` times as large."""
    if factor <= 1:
        return marks
    return {
        id_: (int.from_bytes(content, "big") * factor).to_bytes(8, "big")
        if id_ in stream_marks.CROPPING
        else content
        for id_, content in marks.items()
    }
