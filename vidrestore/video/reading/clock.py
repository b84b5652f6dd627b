"""Where the clock of a broadcast starts again: transport and program streams that were joined or interrupted.

Such a file states times that jump in the middle of it. It is looked through once, without decoding, before it
is read. All its streams are then moved alike, so that each part goes on where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream

LONGEST_GAP = 10
"""Seconds: times of such streams that are further apart belong to two clocks, as ffmpeg takes them."""
_BACKWARD = Fraction(1, 2)
"""Seconds by which a time may lie before the one before it within one clock."""
_LAST_GAP = 1
"""Seconds before the last packets of a file that are believed, as no others bear them out."""
_LONGEST_DELAY = 2
"""Seconds between decoding and showing that are believed here."""
_LONGEST_REORDERING = 32
"""Packets among the first of a part, one of which is the first that is shown."""
_FEWEST = 3
"""Packets that make a clock; fewer are damaged."""
_BYTES_APART = 8 * 2**20
"""Within which the streams of a file change their clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPart:
    """A part of a file in which its clock runs steadily."""

    position: int
    """Of its first packet of video [bytes]."""
    start: Fraction
    """Seconds by its own clock: when its first packet of video is decoded."""
    end: Fraction
    """Seconds by its own clock: when its last packet of video is decoded."""
    shown_from: Fraction
    """Seconds by its own clock: when its first picture is shown."""
    offset: Fraction = Fraction(0)
    """Seconds to add to all times in it."""
    packets: int = 1

    @property
    def shown_last(self) -> Fraction:
        """Seconds by its own clock: when its last picture is shown, if that is as late as its first."""
        return self.end + self.shown_from - self.start

    def holds(self, time: Fraction) -> bool:
        """Whether it may be a time of this clock."""
        return self.start - LONGEST_GAP <= time <= self.end + LONGEST_GAP


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMap:
    """The parts of a file, in its order; one where its clock runs steadily from beginning to end."""

    parts: tuple[ClockPart, ...]

    @property
    def is_steady(self) -> bool:
        return len(self.parts) == 1

    @property
    def start(self) -> Fraction:
        """Seconds: when the first picture is shown, as far as times can be believed."""
        return self.parts[0].shown_from

    @property
    def duration(self) -> Fraction:
        """Seconds from the first to the last picture."""
        return self.parts[-1].shown_last + self.parts[-1].offset - self.start

    @property
    def breaks(self) -> tuple[Fraction, ...]:
        """Seconds: when the first pictures of the parts after the first are shown, as they are read."""
        return tuple(part.shown_from + part.offset for part in self.parts[1:])

    def reader(self) -> ClockReader:
        """What moves the packets of one reading of the file, which begins with the file."""
        return ClockReader(self)


class ClockReader:
    """Moves packets to the time they have when all parts follow one another; in the file's order."""

    def __init__(self, clock: ClockMap) -> None:
        self._parts = clock.parts
        self._part_of: dict[int, int] = {}
        self._last: dict[int, Fraction] = {}

    def correct(self, packet: Packet[Stream]) -> bool:
        """Moves the packet. False: its time is of no clock in the file; then it states none any more."""
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
    """Seconds: when it is to be decoded or, where that is not stated, shown."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return None if ticks is None else ticks * Fraction(packet.time_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Jump:
    """Where the times of another stream than the video jump."""

    position: int
    before: Fraction
    """Seconds: where the packet before the jump ends."""
    after: Fraction
    """Seconds: the time of the packet behind it."""


def scan_clock(packets: Iterable[Packet[Stream] | None], video: int) -> ClockMap | None:
    """The parts of a file, given all its packets; None where it states no times.

    Args:
        packets: In the file's order, as `demuxer.packets` yields them.
        video: Index of the video stream, whose clock is that of the file.
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
    """Seconds: when the packet's picture is shown, if that can be believed."""
    shown = time if packet.pts is None else packet.pts * Fraction(packet.time_base)
    return shown if 0 <= shown - time <= _LONGEST_DELAY else time


def _joined(parts: list[ClockPart], jumps: list[_Jump], step: Fraction) -> Iterator[ClockPart]:
    """The parts, each with the offset by which it goes on where all streams of the one before have ended."""
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
    """Gathers the times of a stream into parts; a few that fit neither side are damaged and left out."""

    def __init__(self) -> None:
        self.step = Fraction(0)
        """Seconds from the last packet but one to the last, where they belong together."""
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
                    self._believe(self._doubtful[number])
                return
        self._doubtful = [*self._doubtful[-_FEWEST:], new]

    def finish(self) -> list[ClockPart]:
        rest = self._doubtful
        if len(rest) == 1 and (not self._parts or 0 <= rest[0].end - self._parts[-1].end <= _LAST_GAP):
            self._believe(rest[0])
        return self._parts or rest[:1]

    def _believe(self, part: ClockPart) -> None:
        if self._parts and _continues(self._parts[-1], part.start):
            self._parts[-1] = _extended(self._parts[-1], part)
        else:
            self._parts.append(part)
        self._doubtful = []


class _JumpFinder:
    """Where the times of a stream jump."""

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
    """Whether the time may follow the part's last one in the same clock."""
    return -_BACKWARD <= time - part.end <= LONGEST_GAP


def _extended(part: ClockPart, more: ClockPart) -> ClockPart:
    is_new = part.packets < _LONGEST_REORDERING
    return replace(
        part,
        end=max(part.end, more.end),
        shown_from=min(part.shown_from, more.shown_from) if is_new else part.shown_from,
        packets=part.packets + more.packets,
    )
