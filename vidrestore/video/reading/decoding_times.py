"""Decoding times of pictures that are copied, where the file leaves them out or repeats them."""

from __future__ import annotations

from av.packet import Packet
from av.stream import Stream

_MOST_HELD = 32
"""Maximum number of packets that wait; codecs reorder by at most 16 pictures."""


class DecodingTimes:
    """Makes the decoding times of one video stream complete and increasing, with a packet of look-ahead.

    Matroska and NUT store presentation times only: the first decoding times of a stream with reordered
    pictures are unknown. They are counted back from the first known one. Of equal times, the earlier ones are
    counted back as well. Presentation times are never changed.
    """

    def __init__(self) -> None:
        self._held: list[Packet[Stream]] = []
        self._last: int | None = None
        """Decoding time of the latest packet that was returned."""

    def add(self, packet: Packet[Stream]) -> list[Packet[Stream]]:
        """The earlier packets, if their times are known now."""
        is_known = self._held and _is_later(packet.dts, self._held[-1].dts)
        complete = self.rest() if is_known or len(self._held) >= _MOST_HELD else []
        self._held.append(packet)
        return complete

    def rest(self) -> list[Packet[Stream]]:
        """The packets that wait."""
        held, self._held = self._held, []
        if not held:
            return []
        times = [packet.pts for packet in held if packet.pts is not None]
        limit = held[-1].dts if held[-1].dts is not None else min(times, default=None)
        if limit is None:
            return held
        step = max(held[-1].duration or 1, 1)
        if self._last is not None:
            step = max(min(step, (limit - self._last) // len(held)), 1)
        self._last = limit
        for packet in reversed(held):
            stated = [time for time in (packet.dts, packet.pts) if time is not None]
            if stated:
                packet.dts = min(limit, *stated)
                limit = packet.dts - step
        return held


def _is_later(time: int | None, other: int | None) -> bool:
    return time is not None and other is not None and time > other
