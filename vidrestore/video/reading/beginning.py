"""The first packets and pictures of a video, decoded once for all who look at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidrestore.video.reading import demuxer


def decode_from_here(
    container: InputContainer,
    stream: VideoStream,
    *,
    on_packet: Callable[[Packet[Stream]], None] | None = None,
    uses_threads: bool = False,
) -> Iterator[av.VideoFrame]:
    """The pictures that decode, from where the container stands; damage is passed over.

    Args:
        container: As `demuxer.open_container` gives it.
        stream: Its video.
        on_packet: Called with each packet before it is decoded.
        uses_threads: Whether to decode several pictures at a time, for which more packets are read than are
            needed: not of a pipe.
    """
    decoder = demuxer.decoder_of(stream)
    context = decoder if isinstance(decoder, av.VideoCodecContext) else stream.codec_context
    if uses_threads and not context.is_open:
        decoder.thread_type = "AUTO"
    for packet in demuxer.packets(container, stream):
        if packet is None:
            continue
        if on_packet is not None:
            on_packet(packet)
        try:
            yield from decoder.decode(packet)
        except av.FFmpegError:
            continue
    try:
        yield from decoder.decode(None)
    except av.FFmpegError:
        return
