"""Repairs timestamps of packets: removes wrong ones, and continues after a clock restart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream

_DISORDER = Fraction(1)
"""Seconds by which packets may be out of order while the clock is right."""
_LONGEST_DELAY = Fraction(10)
"""Longest plausible delay [s] between decoding and presentation of the first packets."""
_FIRST_DELAYS = 16
_NO_LIMIT = Fraction(2**63)
_LONGEST_GAP = 10
"""Longest plausible time [s] between packets of a stream without pauses."""
_LONGEST_PAUSE = 24 * 3600
"""The same where the format may have pauses: a clock that was set, or a damaged time, jumps by years."""
_MOST_HELD = 64
"""Maximum number of packets without a time that wait for one with a time."""


class PacketTimes:
    """Repairs the timestamps of one stream, with one packet of look-ahead.

    If a packet's time fits neither the previous nor the next packet, it is removed. If times jump back for
    good, all later ones are shifted so that they continue the earlier ones.
    """

    def __init__(self, *, has_pauses: bool, on_distrusted: Callable[[], None], fills: bool = False) -> None:
        """Start with the first packet.

        Args:
            has_pauses: Whether the format may have long pauses between packets.
            on_distrusted: Called for each repair that is larger than mere disorder: the input may be damaged.
            fills: Whether a packet with a wrong time gets the time at which the previous packet ends. Only
                for streams without reordering.
        """
        self._has_pauses, self._on_distrusted, self._fills = has_pauses, on_distrusted, fills
        self._last: Fraction | None = None
        self._step = Fraction(0)
        self._shift = Fraction(0)
        self._delay = Fraction(0)
        """Delay between decoding and presentation of the previous packet [s]."""
        self._delays = (0, Fraction(0))
        """Number of plausible delays, and the longest of them."""

    def repair(self, packets: Iterable[Packet[Stream] | None]) -> Iterator[Packet[Stream] | None]:
        """The packets with repaired times, in order; None stays None."""
        held: list[Packet[Stream] | None] = []  # a packet with a time, and those after it without
        for packet in packets:
            states_time = packet is not None and _time(packet) is not None
            if states_time or len(held) > _MOST_HELD:
                yield from self._release(held, packet if states_time else None)
                held = []
            if states_time or held:
                held.append(packet)
            else:
                yield from self._release([packet], None)
        yield from self._release(held, None)

    def _release(
        self, held: list[Packet[Stream] | None], following: Packet[Stream] | None
    ) -> Iterator[Packet[Stream] | None]:
        for packet in held:
            yield None if packet is None else self.read(packet, following)

    def read(self, packet: Packet[Stream], following: Packet[Stream] | None) -> Packet[Stream]:
        """Repairs the packet's times in place; `following` is the stream's next packet with a time."""
        time, then = _time(packet), None if following is None else _time(following)
        if time is None:
            self._apply(packet)
            return packet
        is_far = self._is_wild(time, then, _DISORDER) or self._is_late_end(time, then)
        if is_far or self._is_wild(time, then, Fraction(0)):
            if is_far:
                self._on_distrusted()
            self._replace(packet, then)
            return packet
        if self._last is not None and self._starts_again(time):
            if time > self._last and self._has_pauses:
                self._on_distrusted()
            self._shift += self._last + self._step - time
        elif self._last is not None and time > self._last:
            self._step = time - self._last
        self._last = time
        self._apply(packet)
        return packet

    def _is_wild(self, time: Fraction, then: Fraction | None, disorder: Fraction) -> bool:
        """Whether the time fits neither the previous one nor `then`, with `disorder` [s] as tolerance."""
        last = self._last
        if then is not None and then < time - disorder:
            # One of the two is wrong: this one, unless the next is also earlier than the last.
            return last is None or then >= last - disorder
        if last is None or not self._starts_again(time, disorder):
            return False
        return then is None or (time < last and then >= last - disorder)

    def _is_late_end(self, time: Fraction, then: Fraction | None) -> bool:
        """Whether it is the stream's last time, which no later time confirms, and too late."""
        longest = _LONGEST_PAUSE if self._has_pauses else _DISORDER
        return then is None and self._last is not None and time - self._last > longest

    def _starts_again(self, time: Fraction, disorder: Fraction = _DISORDER) -> bool:
        assert self._last is not None
        ahead = time - self._last
        return ahead < -disorder or ahead > (_LONGEST_PAUSE if self._has_pauses else _LONGEST_GAP)

    def _replace(self, packet: Packet[Stream], then: Fraction | None) -> None:
        packet.pts = packet.dts = None
        if not self._fills or (self._last is None and then is None):
            return
        base = Fraction(packet.time_base)
        duration = self._step or (packet.duration or 0) * base
        time = self._last + duration if self._last is not None else then - duration if then is not None else 0
        if self._last is not None:
            self._last = Fraction(time)
        packet.pts = packet.dts = round((time + self._shift) / base)

    def _apply(self, packet: Packet[Stream]) -> None:
        base = Fraction(packet.time_base)
        ticks = round(self._shift / base)
        if packet.pts is not None and packet.dts is not None:
            delay = (packet.pts - packet.dts) * base
            # In some files all presentation times are before the decoding times.
            is_sudden = delay < 0 <= self._delay
            if is_sudden or delay > self._longest_delay():
                packet.pts = None
                if abs(delay) > _DISORDER:
                    self._on_distrusted()
            else:
                self._delays = (self._delays[0] + 1, max(self._delays[1], delay))
            self._delay = delay
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = None if packet.dts is None else packet.dts + ticks

    def _longest_delay(self) -> Fraction:
        """Longest plausible delay [s]; with reordering, a pause causes such a delay, too."""
        count, longest = self._delays
        if self._has_pauses:
            return _NO_LIMIT
        return _LONGEST_DELAY if count < _FIRST_DELAYS else max(4 * longest, _DISORDER)


def _time(packet: Packet[Stream]) -> Fraction | None:
    """Decoding time [s]. Presentation times need not be in order."""
    return None if packet.dts is None else packet.dts * Fraction(packet.time_base)
