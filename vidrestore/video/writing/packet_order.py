"""Decoding times of copied packets that increase, as the output's container requires."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from av.container import OutputContainer
from av.format import Flags
from av.packet import Packet
from av.stream import Stream

from vidrestore.video.reading import stream_info

_TYING_FORMAT: Any = Flags.ts_nonstrict.value  # a number, despite its type stub
"""The flag of formats in which all streams may have several packets at the same time."""
_TYING_KINDS = {"subtitle", "data"}
"""Kinds of streams that may have several packets at the same time in every container."""


class PacketOrder:
    """Moves packets whose decoding time is not later than that of the previous one, and counts them."""

    def __init__(self, output: OutputContainer) -> None:
        """`output` determines its ticks when its header is written: call `keep` after that."""
        self._format = output.format
        self._last: dict[int, int] = {}
        self._moved: Counter[str] = Counter()
        self._longest: dict[str, Fraction] = {}

    def keep(self, packet: Packet[Stream], name: str) -> None:
        """Makes the packet's decoding time later than that of its stream's previous packet.

        Presentation times of pictures are not changed: their order would change.

        Args:
            packet: A packet of one of the output's streams, with a decoding time.
            name: The stream's name, for `warnings`.
        """
        stream = packet.stream
        assert packet.dts is not None
        time_base = stream_info.time_base(stream)
        ratio = Fraction(packet.time_base) / time_base
        dts = _rescaled(packet.dts, ratio)
        least = self._last[stream.index] + self._is_strict(stream) if stream.index in self._last else dts
        if dts < least:
            self._moved[name] += 1
            distance = least * time_base - packet.dts * Fraction(packet.time_base)
            self._longest[name] = max(distance, self._longest.get(name, distance))
            pts = least if packet.pts is None else _rescaled(packet.pts, ratio)
            packet.pts = pts if stream.type == "video" else max(pts, least)
            packet.duration = _rescaled(packet.duration or 0, ratio)
            packet.dts, packet.time_base = least, time_base
        self._last[stream.index] = max(dts, least)

    def warnings(self) -> list[str]:
        """A warning for each stream of which packets were moved."""
        return [
            f"{count} times of the {name} did not increase, as {self._format.name} requires, and were moved "
            f"by up to {float(self._longest[name] * 1000):.2f} ms"
            for name, count in self._moved.items()
        ]

    def _is_strict(self, stream: Stream) -> bool:
        """Whether equal times are refused, too."""
        return stream.type not in _TYING_KINDS and not self._format.flags & _TYING_FORMAT


def _rescaled(ticks: int, ratio: Fraction) -> int:
    """The time in other ticks, rounded as FFmpeg does: a half away from zero."""
    size = int((2 * abs(ticks) * ratio + 1) // 2)
    return size if ticks >= 0 else -size
