"""Packets of the copied streams, with timestamps that a container accepts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from vidrestore.video.reading import demuxer
from vidrestore.video.reading.clock import ClockReader, time_of
from vidrestore.video.reading.decoding_times import DecodingTimes
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.packet_times import PacketTimes

_FAR = 60
"""Longest plausible distance [s] of a subtitle from the sound around it."""


class CopiedPackets:
    """Repairs the timestamps of interleaved streams: of sound like the video's, of others relative to it.

    Few packets are in memory at a time.
    """

    def __init__(self, container: InputContainer, input: Input) -> None:
        self.wrong_times: Counter[int] = Counter()
        """Number of packets with impossible timestamps, by stream index."""
        self._clock: ClockReader | None = None if input.clock is None else input.clock.reader()
        # A packet of a pipe may outlive its container and stream.
        self._of_sound = {stream.index for stream in container.streams.audio}
        self._decoding_times = {
            stream.index: DecodingTimes()
            for stream in container.streams.video
            if not demuxer.is_cover(stream)
        }
        self._has_pauses = not demuxer.is_broadcast(container)
        self._times: dict[int, PacketTimes] = {}
        self._held: dict[int, Packet[Stream]] = {}
        self._sound: Fraction | None = None
        """The latest time of sound [s]."""

    def repair(self, packets: Iterable[Packet[Stream] | None]) -> Iterator[Packet[Stream]]:
        """The packets of all streams, without damaged ones and those without a plausible time."""
        for packet in packets:
            if packet is not None:
                yield from self._next(packet, looks_ahead=True)
        yield from self.rest()

    def repair_one(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """The packets of a pipe that are complete with this one; sound is repaired without look-ahead."""
        return self._next(packet, looks_ahead=False)

    def rest(self) -> Iterator[Packet[Stream]]:
        """The packets that are still held at the end."""
        for index, packet in self._held.items():
            yield self._of(index).read(packet, None)
        self._held.clear()
        for times in self._decoding_times.values():
            yield from times.rest()

    def _next(self, packet: Packet[Stream], *, looks_ahead: bool) -> Iterator[Packet[Stream]]:
        index = packet.stream_index
        if self._clock is not None and not self._clock.correct(packet):
            self.wrong_times[index] += 1
        if index not in self._of_sound:
            if self._is_near(packet):
                times = self._decoding_times.get(index)
                yield from [packet] if times is None else times.add(packet)
            return
        if not looks_ahead:
            yield self._of(index).read(packet, None)
        elif index in self._held:
            yield self._of(index).read(self._held[index], packet)
        self._sound = time_of(packet) or self._sound
        if looks_ahead:
            self._held[index] = packet

    def _of(self, index: int) -> PacketTimes:
        if index not in self._times:

            def note() -> None:
                self.wrong_times[index] += 1

            self._times[index] = PacketTimes(has_pauses=self._has_pauses, on_distrusted=note, fills=True)
        return self._times[index]

    def _is_near(self, packet: Packet[Stream]) -> bool:
        time = time_of(packet)
        if time is None or self._sound is None or abs(time - self._sound) <= _FAR or self._has_pauses:
            return True
        self.wrong_times[packet.stream_index] += 1
        return False
