"""Containers that state when a packet is decoded and not when its picture is shown.

AVI and Video for Windows number packets in the order of decoding. Where FFmpeg does not know from a codec's
headers how pictures are reordered, as with H.264, it guesses presentation times that are wrong for every
stream with B-frames. Decoders hand out pictures in the order in which they are shown, so the first picture
shown has the first of the times stated, the second the second, and so on.
"""

from __future__ import annotations

import heapq

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

_CONTAINERS = {"avi", "asf"}
_REORDERING = {"h264", "hevc", "vvc", "evc"}
"""Codecs in whose packets FFmpeg does not see how pictures are reordered."""
_MOST_DELAYED = 40
"""Packets that a decoder holds at most: by reordering and by its threads."""


def states_decoding_times_only(container: InputContainer, stream: VideoStream) -> bool:
    """Whether the presentation times that FFmpeg gives for the stream are its own guess."""
    context = stream.codec_context
    if context.codec.canonical_name not in _REORDERING:
        return False
    # Matroska holds tracks of Video for Windows, which keep its four-letter codes.
    is_vfw = "matroska" in container.format.name and context.codec_tag.strip("\0") != ""
    return container.format.name in _CONTAINERS or is_vfw


class DecodeOrder:
    """The decoding times of packets whose pictures have not come yet."""

    def __init__(self) -> None:
        self._waiting: list[int] = []

    def add_packet(self, packet: Packet[Stream]) -> int:
        """Notes the packet's time; how many pictures are known to be lost by now."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is not None:
            heapq.heappush(self._waiting, time)
        lost = max(len(self._waiting) - _MOST_DELAYED, 0)
        for _ in range(lost):
            heapq.heappop(self._waiting)
        return lost

    def drop(self, packet: Packet[Stream]) -> None:
        """The packet gives no picture."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time in self._waiting:
            self._waiting.remove(time)
            heapq.heapify(self._waiting)

    def next_time(self) -> int | None:
        """The time of the next picture."""
        return heapq.heappop(self._waiting) if self._waiting else None
