"""Clock restarts of broadcasts: transport and program streams that were joined or interrupted.

The timestamps of such a file jump in the middle. It is scanned once, without decoding, before it is read.
Then all streams are shifted together, so that each part continues where the previous one ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream

LONGEST_GAP = 10
"""Seconds. Times that are further apart belong to different clocks; ffmpeg has the same limit."""
_BACKWARD = Fraction(1, 2)
"""Seconds by which a time may be earlier than the previous one within one clock."""
_LAST_GAP = 1
"""Longest plausible gap [s] before the last packets of a file, which no later ones confirm."""
_LONGEST_DELAY = 2
"""Longest plausible delay [s] between decoding and presentation."""
_LONGEST_REORDERING = 32
"""Number of first packets of a part among which the first presented one is found."""
_FEWEST = 3
"""Minimum number of packets of a clock; fewer are damage."""
_BYTES_APART = 8 * 2**20
"""Distance in the file within which all streams change their clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPart:
    """A part of a file with one continuous clock."""

    position: int
    """File position of its first video packet [bytes]."""
    start: Fraction
    """Decoding time of its first video packet [s of its own clock]."""
    end: Fraction
    """Decoding time of its last video packet [s of its own clock]."""
    shown_from: Fraction
    """Presentation time of its first picture [s of its own clock]."""
    offset: Fraction = Fraction(0)
    """Offset to add to all its times [s]."""
    packets: int = 1

    @property
    def shown_last(self) -> Fraction:
        """Presentation time of its last picture [s of its own clock], if it is delayed like the first."""
        return self.end + self.shown_from - self.start

    def holds(self, time: Fraction) -> bool:
        """Whether the time may belong to this clock."""
        return self.start - LONGEST_GAP <= time <= self.end + LONGEST_GAP


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMap:
    """The parts of a file, in order; a file with one continuous clock has one."""

    parts: tuple[ClockPart, ...]

    @property
    def is_steady(self) -> bool:
        return len(self.parts) == 1

    @property
    def start(self) -> Fraction:
        """Presentation time of the first picture [s], as far as times are plausible."""
        return self.parts[0].shown_from

    @property
    def duration(self) -> Fraction:
        """Time from the first to the last picture [s]."""
        return self.parts[-1].shown_last + self.parts[-1].offset - self.start

    @property
    def breaks(self) -> tuple[Fraction, ...]:
        """Presentation times [s] at which the second and later parts start, after the shift."""
        return tuple(part.shown_from + part.offset for part in self.parts[1:])

    def reader(self) -> ClockReader:
        """Shifts the packets of one pass through the file, from its start."""
        return ClockReader(self)


class ClockReader:
    """Yields packets in file order, shifted so that all parts follow one another."""

    def __init__(self, clock: ClockMap) -> None:
        self._parts = clock.parts
        self._part_of: dict[int, int] = {}
        self._last: dict[int, Fraction] = {}

    def correct(self, packet: Packet[Stream]) -> bool:
        """Shifts the packet. Returns False if its time fits no clock of the file; then it is removed."""
        time = time_of(packet)
        if time is None:
            return True
        part = self._part(packet, time)
        if part is None:
            packet.pts = packet.dts = None
            return False
        ticks = round(part.offset / Fraction(packet.time_base))
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
        return True

    def _part(self, packet: Packet[Stream], time: Fraction) -> ClockPart | None:
        index, last = packet.stream_index, self._last.get(packet.stream_index)
        number = self._part_of.get(index, 0)
        for following in range(number + 1, len(self._parts)):
            part = self._parts[following]
            is_past = packet.pos is not None and packet.pos >= part.position
            goes_back = last is not None and time < last - _BACKWARD
            if part.holds(time) and (is_past or goes_back or not self._parts[number].holds(time)):
                number, last = following, None
        if not self._parts[number].holds(time):
            return None
        self._part_of[index], self._last[index] = number, time
        return self._parts[number]


def time_of(packet: Packet[Stream]) -> Fraction | None:
    """Its decoding time [s], or its presentation time if that is not stated."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return None if ticks is None else ticks * Fraction(packet.time_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Jump:
    """A jump in the times of a stream other than the video."""

    position: int
    before: Fraction
    """End of the packet before the jump [s]."""
    after: Fraction
    """Time of the packet after the jump [s]."""


def scan_clock(packets: Iterable[Packet[Stream] | None], video: int) -> ClockMap | None:
    """The parts of a file, from all its packets; None if it has no timestamps.

    Args:
        packets: In file order, from `demuxer.packets`.
        video: Index of the video stream, whose clock is the file's.
    """
    finder = _PartFinder()
    others: dict[int, _JumpFinder] = {}
    for packet in packets:
        if packet is None or packet.pos is None or (time := time_of(packet)) is None:
            continue
        if packet.stream_index == video:
            finder.add(packet.pos, time, _shown(packet, time))
        elif packet.stream.type == "audio":
            others.setdefault(packet.stream_index, _JumpFinder()).add(packet.pos, time)
    parts = finder.finish()
    if not parts:
        return None
    jumps = [jump for other in others.values() for jump in other.jumps]
    return ClockMap(parts=tuple(_joined(parts, jumps, finder.step)))


def _shown(packet: Packet[Stream], time: Fraction) -> Fraction:
    """Presentation time of the packet's picture [s], if it is plausible."""
    shown = time if packet.pts is None else packet.pts * Fraction(packet.time_base)
    return shown if 0 <= shown - time <= _LONGEST_DELAY else time


def _joined(parts: list[ClockPart], jumps: list[_Jump], step: Fraction) -> Iterator[ClockPart]:
    """The parts, each with the offset that puts its start at the end of all streams of the previous part."""
    before = parts[0]
    yield before
    for part in parts[1:]:
        ends, starts = [before.shown_last + step], [part.shown_from]
        for jump in jumps:
            same_jump = abs((jump.after - jump.before) - (part.start - before.end)) < LONGEST_GAP / 2
            if same_jump and abs(jump.position - part.position) < _BYTES_APART:
                ends.append(jump.before)
                starts.append(jump.after)
        before = replace(part, offset=before.offset + max(ends) - min(starts))
        yield before


class _PartFinder:
    """Groups the times of a stream into parts; a few that fit neither neighbour are ignored as damage."""

    def __init__(self) -> None:
        self.step = Fraction(0)
        """Time between the last two packets [s], if they belong together."""
        self._parts: list[ClockPart] = []
        self._doubtful: list[ClockPart] = []

    def add(self, position: int, time: Fraction, shown: Fraction) -> None:
        new = ClockPart(position=position, start=time, end=time, shown_from=shown)
        if self._parts and abs(time - self._parts[-1].end) <= _BACKWARD:
            self.step = max(time - self._parts[-1].end, Fraction(0)) or self.step
            self._parts[-1] = _extended(self._parts[-1], new)
            self._doubtful = []
            return
        for number, part in enumerate(self._doubtful):
            if _continues(part, time):
                self._doubtful[number] = _extended(part, new)
                if self._doubtful[number].packets >= _FEWEST:
                    self._accept(self._doubtful[number])
                return
        self._doubtful = [*self._doubtful[-_FEWEST:], new]

    def finish(self) -> list[ClockPart]:
        rest = self._doubtful
        if len(rest) == 1 and (not self._parts or 0 <= rest[0].end - self._parts[-1].end <= _LAST_GAP):
            self._accept(rest[0])
        return self._parts or rest[:1]

    def _accept(self, part: ClockPart) -> None:
        if self._parts and _continues(self._parts[-1], part.start):
            self._parts[-1] = _extended(self._parts[-1], part)
        else:
            self._parts.append(part)
        self._doubtful = []


class _JumpFinder:
    """Finds jumps in the times of a stream."""

    def __init__(self) -> None:
        self.jumps: list[_Jump] = []
        self._last: Fraction | None = None
        self._step = Fraction(0)

    def add(self, position: int, time: Fraction) -> None:
        last = self._last
        if last is not None and 0 <= time - last <= LONGEST_GAP:
            self._step = time - last
        elif last is not None and (time < last - _BACKWARD or time > last):
            self.jumps.append(_Jump(position=position, before=last + self._step, after=time))
        self._last = time


def _continues(part: ClockPart, time: Fraction) -> bool:
    """Whether the time may follow the part's last one within the same clock."""
    return -_BACKWARD <= time - part.end <= LONGEST_GAP


def _extended(part: ClockPart, more: ClockPart) -> ClockPart:
    is_new = part.packets < _LONGEST_REORDERING
    return replace(
        part,
        end=max(part.end, more.end),
        shown_from=min(part.shown_from, more.shown_from) if is_new else part.shown_from,
        packets=part.packets + more.packets,
    )
