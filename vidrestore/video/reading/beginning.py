"""The first packets and pictures of a video, decoded once for all checks that need them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidrestore.video.reading import demuxer
from vidrestore.video.reading.decoder import Decoder


def decode_from_here(
    container: InputContainer,
    stream: VideoStream,
    *,
    on_packet: Callable[[Packet[Stream]], None] | None = None,
    uses_threads: bool = False,
) -> Iterator[av.VideoFrame]:
    """The pictures that can be decoded from the container's current position on; damage is skipped.

    Args:
        container: From `demuxer.open_container`.
        stream: Its video.
        on_packet: Called with each packet before it is decoded.
        uses_threads: Whether to decode with several threads, which read more packets than are needed. Must
            be false for a pipe.
    """
    decoder = Decoder(stream)
    if uses_threads:
        decoder.use_threads()
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
