"""Decodes packets to pictures with times; the previous picture replaces each lost one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidrestore.types import VideoInfo
from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.aspects import AspectReader
from vidrestore.video.reading.decode_order import DecodeOrder, states_decoding_times_only
from vidrestore.video.reading.decoder import Decoder
from vidrestore.video.reading.hardware_decoding import GpuDecoder, hardware_decoder_for
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.lost_frames import LostFrameDetector
from vidrestore.video.reading.packet_times import PacketTimes
from vidrestore.video.reading.picture_times import PictureTimes, with_following

_FAR = 1
"""Maximum shift of a picture's time [s] that does not count as damage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPicture:
    """A picture at its own time, or at the time of a lost one."""

    picture: av.VideoFrame
    pts: int
    """Presentation time in the stream's time base."""
    aspect: Fraction
    """Pixel aspect."""
    is_repeated: bool = False
    """Whether it replaces a lost picture."""
    is_damaged: bool = False
    """Whether the decoder concealed errors in it, or its time in the file was impossible."""


def decode(
    container: InputContainer, stream: VideoStream, input: Input, info: VideoInfo
) -> Iterator[DecodedPicture | None]:
    """Pictures from the container's current position on; None for each loss without a known time.

    Args:
        container: From `demuxer.open_container`.
        stream: Its video stream.
        input: The input.
        info: Its properties.
    """
    base = stream_info.time_base(stream)
    step = max(1, round(1 / (info.frame_rate * base)))
    breaks = input.clock.breaks if input.clock is not None else ()
    losses = LostFrameDetector(
        info.codec, interlaced=info.interlaced, step=step, time_base=base, breaks=breaks
    )
    times, distrusted = PictureTimes(step), _Counter()
    aspects = AspectReader(container, info.pixel_aspect)
    hardware = hardware_decoder_for(stream, input, info)
    last: DecodedPicture | None = None
    for picture, following in with_following(
        _pictures(container, stream, input, losses, distrusted, aspects, hardware)
    ):
        own, next_own = picture.pts, None if following is None else following.pts
        if own is None:
            own = picture.dts
        elif times.is_plausible(own, next_own):
            for pts in losses.lost_before(own):
                if last is not None and pts != next_own:
                    yield _repeated(last, times.read(pts, own, None))
        else:
            losses.forget(own)
        pts = times.read(own, next_own, picture.duration)
        is_far = own is not None and abs(pts - own) * base > _FAR
        is_damaged = distrusted.take_one() or picture.is_corrupt or is_far
        last = DecodedPicture(picture=picture, pts=pts, aspect=aspects.take(), is_damaged=is_damaged)
        yield last
    for pts in losses.lost_before(None):
        if last is not None:
            yield _repeated(last, times.read(pts, None, None))
    yield from [None] * losses.unmatched_errors()


class _Counter:
    """Number of replaced times that are not reported yet."""

    def __init__(self) -> None:
        self._count = 0

    def add(self) -> None:
        self._count += 1

    def take_one(self) -> bool:
        self._count, is_any = max(self._count - 1, 0), self._count > 0
        return is_any


def _repeated(picture: DecodedPicture, pts: int) -> DecodedPicture:
    return replace(picture, pts=pts, is_repeated=True, is_damaged=False)


def _pictures(
    container: InputContainer,
    stream: VideoStream,
    input: Input,
    losses: LostFrameDetector,
    distrusted: _Counter,
    aspects: AspectReader,
    hardware: GpuDecoder | None,
) -> Iterator[av.VideoFrame]:
    """Decoded pictures; packets and failures are added to `losses`, pixel aspects to `aspects`."""
    decoder = Decoder(stream, hardware)
    decoder.use_threads()
    order = DecodeOrder() if states_decoding_times_only(container, stream) else None
    for packet in _timed_packets(container, stream, input, distrusted):
        if packet is None:
            losses.add_error()
            continue
        if order is None:
            losses.add_packet(packet)
        else:
            losses.add_errors(order.add_packet(packet))
        try:
            pictures = decoder.decode(packet)
        except av.FFmpegError:
            losses.add_error()
            if order is not None:
                order.drop(packet)
        else:
            yield from _in_order(pictures, order, aspects, decoder.context)
    try:
        yield from _in_order(decoder.decode(None), order, aspects, decoder.context)
    except av.error.EOFError:
        return
    except av.FFmpegError:
        losses.add_error()


def _in_order(
    pictures: list[av.VideoFrame],
    order: DecodeOrder | None,
    aspects: AspectReader,
    context: av.VideoCodecContext,
) -> Iterator[av.VideoFrame]:
    for picture in pictures:
        aspects.add(picture, context.sample_aspect_ratio)
        if order is not None:
            picture.pts = order.next_time()
        yield picture


def _timed_packets(
    container: InputContainer, stream: VideoStream, input: Input, distrusted: _Counter
) -> Iterator[Packet[Stream] | None]:
    """The video's packets, with continuous times."""
    packets = _packets(container, stream, input)
    if input.clock is not None:
        packets = _on_one_clock(packets, input, distrusted)
    has_pauses = not demuxer.is_broadcast(container)
    return PacketTimes(has_pauses=has_pauses, on_distrusted=distrusted.add).repair(packets)


def _on_one_clock(
    packets: Iterator[Packet[Stream] | None], input: Input, distrusted: _Counter
) -> Iterator[Packet[Stream] | None]:
    assert input.clock is not None
    clock = input.clock.reader()
    for packet in packets:
        if packet is not None and not clock.correct(packet):
            distrusted.add()
        yield packet


def _packets(container: InputContainer, stream: VideoStream, input: Input) -> Iterator[Packet[Stream] | None]:
    """The video's packets; other packets of a pipe, which cannot be read again, are queued for copying."""
    if input.pipe is None:
        yield from demuxer.packets(container, stream)
        return
    for packet in demuxer.packets(container, *container.streams):
        if packet is None or packet.stream_index == stream.index:
            yield packet
        elif packet.stream_index in input.pipe.other_streams:
            input.pipe.other_packets.append(packet)
