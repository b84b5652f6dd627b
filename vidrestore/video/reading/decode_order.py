"""Containers with decoding times only, without presentation times.

AVI and Video for Windows number packets in decoding order. If FFmpeg does not know from a codec's headers how
pictures are reordered, as with H.264, it guesses presentation times that are wrong for every stream with
B-frames. Decoders return pictures in presentation order, so the first picture gets the first of the stated
times, the second the second, and so on.
"""

from __future__ import annotations

import heapq

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

_CONTAINERS = {"avi", "asf"}
_REORDERING = {"h264", "hevc", "vvc", "evc"}
"""Codecs whose reordering FFmpeg cannot read from their packets."""
_MOST_DELAYED = 40
"""Maximum number of packets inside a decoder, for reordering and for its threads."""


def states_decoding_times_only(container: InputContainer, stream: VideoStream) -> bool:
    """Whether FFmpeg's presentation times for the stream are guesses."""
    context = stream.codec_context
    if context.codec.canonical_name not in _REORDERING:
        return False
    # Tracks of Video for Windows in Matroska keep its four-letter codes.
    is_vfw = "matroska" in container.format.name and context.codec_tag.strip("\0") != ""
    return container.format.name in _CONTAINERS or is_vfw


class DecodeOrder:
    """Decoding times of packets whose pictures are not decoded yet."""

    def __init__(self) -> None:
        self._waiting: list[int] = []

    def add_packet(self, packet: Packet[Stream]) -> int:
        """Adds the packet's time; returns how many pictures are known to be lost."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is not None:
            heapq.heappush(self._waiting, time)
        lost = max(len(self._waiting) - _MOST_DELAYED, 0)
        for _ in range(lost):
            heapq.heappop(self._waiting)
        return lost

    def drop(self, packet: Packet[Stream]) -> None:
        """Removes the time of a packet without a picture."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time in self._waiting:
            self._waiting.remove(time)
            heapq.heapify(self._waiting)

    def next_time(self) -> int | None:
        """The time of the next picture."""
        return heapq.heappop(self._waiting) if self._waiting else None
