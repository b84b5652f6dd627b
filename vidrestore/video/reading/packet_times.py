"""Times of a stream's packets: without wild ones, and going on where a clock starts again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream

_DISORDER = Fraction(1)
"""Seconds by which packets may lie out of order without anything being wrong with the clock."""
_LONGEST_DELAY = Fraction(10)
"""Seconds between decoding and showing that are believed of the first packets."""
_FIRST_DELAYS = 16
_NO_LIMIT = Fraction(2**63)
_LONGEST_GAP = 10
"""Seconds between packets that are believed of a stream that has no pauses."""
_MOST_HELD = 64
"""Packets that state no time and wait for one that does."""


class PacketTimes:
    """Times of one stream, looked at packet by packet with one packet of look-ahead.

    A packet whose time fits neither the one before nor the one after states no time any more. Where times go
    back for good, what follows is moved so that it continues what was before.
    """

    def __init__(self, *, has_pauses: bool, on_distrusted: Callable[[], None], fills: bool = False) -> None:
        """`has_pauses`: whether the format may state a time long after the one before.

        `fills`: a packet of a wrong time gets the one that follows the packet before it, for no reordering.
        """
        self._has_pauses, self._on_distrusted, self._fills = has_pauses, on_distrusted, fills
        self._last: Fraction | None = None
        self._step = Fraction(0)
        self._shift = Fraction(0)
        self._delay = Fraction(0)
        """Seconds from decoding to showing the packet before."""
        self._delays = (0, Fraction(0))
        """How many of these were believed, and the longest of them."""

    def repair(self, packets: Iterable[Packet[Stream] | None]) -> Iterator[Packet[Stream] | None]:
        """The packets, in order; None stays None."""
        held: list[Packet[Stream] | None] = []  # one that states a time, and those after it that do not
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
        """The packet, its times repaired in place; `following` is the stream's next that states a time."""
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
            self._shift += self._last + self._step - time
        elif self._last is not None and time > self._last:
            self._step = time - self._last
        self._last = time
        self._apply(packet)
        return packet

    def _is_wild(self, time: Fraction, then: Fraction | None, disorder: Fraction) -> bool:
        """Whether the time fits neither the one before nor `then`; `disorder` [seconds] is allowed."""
        last = self._last
        if then is not None and then < time - disorder:
            # One of the two is wrong: this one, unless the next goes back behind the last as well.
            return last is None or then >= last - disorder
        if last is None or not self._starts_again(time, disorder):
            return False
        return then is None or (time < last and then >= last - disorder)

    def _is_late_end(self, time: Fraction, then: Fraction | None) -> bool:
        """Whether it is the last time of a stream without pauses, and nothing bears it out."""
        far = self._last is not None and time - self._last > _DISORDER
        return then is None and far and not self._has_pauses

    def _starts_again(self, time: Fraction, disorder: Fraction = _DISORDER) -> bool:
        assert self._last is not None
        ahead = time - self._last
        return ahead < -disorder or (ahead > _LONGEST_GAP and not self._has_pauses)

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
            # Some files state all pictures to be shown before they are decoded.
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
        """Seconds that are believed; where pictures are reordered, a pause is such a delay, too."""
        count, longest = self._delays
        if self._has_pauses:
            return _NO_LIMIT
        return _LONGEST_DELAY if count < _FIRST_DELAYS else max(4 * longest, _DISORDER)


def _time(packet: Packet[Stream]) -> Fraction | None:
    """Seconds: when it is to be decoded. Presentation times need not be in order."""
    return None if packet.dts is None else packet.dts * Fraction(packet.time_base)
