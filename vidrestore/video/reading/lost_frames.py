"""Which of a stream's stated pictures did not come: each packet states a time, each picture takes one."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream

# Of these, packets may be meant to give no picture, which only their bits tell.
_MAY_BE_EMPTY = {"mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "h263", "flv1"}
_DOUBTED_PICTURES = 32
"""Pictures after a damaged packet among which those that are missing for it are sure to be."""
_LONGEST_FILLED = 10
"""Seconds of missing pictures that are filled by repeating the one before."""


class LostFrameDetector:
    """The times at which the container states a picture.

    Pictures come in order of time, packets in order of decoding; a stated time that a later picture has
    passed is a lost one. So is one of which even the packet is missing, where the container finds damage and
    a step in time is too wide. Streams whose pictures bear other times than their packets are left alone.
    """

    def __init__(
        self,
        codec: str,
        *,
        interlaced: bool,
        step: int,
        time_base: Fraction,
        breaks: Sequence[Fraction] = (),
    ) -> None:
        """`interlaced`: a picture may come in two packets, so that one without a picture proves nothing.

        `step`: ticks from one picture to the next; `time_base`: seconds a tick; `breaks`: seconds at which
        the stream was joined, so that nothing is missing there.
        """
        self._breaks = [round(time / time_base) for time in breaks]
        self._longest_gap = round(_LONGEST_FILLED / time_base)
        self._unfilled = 0
        self._codec = codec
        self._step = step
        self._last: int | None = None
        self._doubts = 0
        self._last_dts: int | None = None
        self._doubted_from: int | None = None
        """The decoding time of the packet before the damage: what it took is shown later."""
        self._cautious = interlaced or codec in _MAY_BE_EMPTY
        self._waiting: list[int] = []
        self._errors = 0
        self._began = False
        self._reliable = True

    def add_packet(self, packet: Packet[Stream]) -> None:
        """A packet goes to the decoder."""
        if packet.is_corrupt:
            self._doubts, self._doubted_from = _DOUBTED_PICTURES, self._last_dts
        self._last_dts = packet.dts if packet.dts is not None else self._last_dts
        if packet.pts is not None and not packet.is_discard and not _is_undisplayed(self._codec, packet):
            heapq.heappush(self._waiting, packet.pts)

    def add_error(self) -> None:
        """A packet could not be read or decoded."""
        self._errors += 1

    def add_errors(self, count: int) -> None:
        """As many packets gave nothing."""
        self._errors += count

    def forget(self, pts: int) -> None:
        """The picture of the packet that states `pts` came, but that time is wrong."""
        if pts in self._waiting:
            self._waiting.remove(pts)
            heapq.heapify(self._waiting)

    def lost_before(self, pts: int | None) -> list[int]:
        """The times that got no picture, now that one of time `pts` came; None: the end."""
        # A time before the last picture's is wrong: no picture is missing there.
        passed = [time for time in self._pop_passed(pts) if self._last is None or time > self._last]
        if pts is not None and self._waiting and self._waiting[0] == pts:
            while self._waiting and self._waiting[0] == pts:
                heapq.heappop(self._waiting)
        elif pts is not None:
            self._reliable = False
        if not self._began:
            # Before its first picture a stream may hold what cannot be decoded alone: nothing is missed.
            self._began, self._last = pts is not None, pts
            return []
        if not self._reliable:
            return []
        if self._cautious:
            passed = passed[: self._errors]
        self._errors = max(self._errors - len(passed), 0)
        return passed if pts is None else sorted(passed + self._missing_times(pts, passed))

    def _missing_times(self, pts: int, passed: list[int]) -> list[int]:
        """Times between the last picture and this one that nothing states and a steady rate has."""
        last, self._last = self._last, pts
        if self._doubted_from is not None and pts <= self._doubted_from:
            return []
        self._doubts = max(self._doubts - 1, 0)
        joined = any(last is not None and last < time <= pts + self._step // 2 for time in self._breaks)
        if last is None or not self._doubts or joined:
            return []
        if pts - last > self._longest_gap:
            # So much may be missing, or the clock is wrong: it is counted, not filled.
            self._unfilled += self._longest_gap // self._step
            return []
        half = self._step // 2
        return [
            time
            for time in range(last + self._step, pts - half, self._step)
            if all(abs(time - stated) > half for stated in passed)
        ]

    def unmatched_errors(self) -> int:
        """Losses for which no time is known, at the end."""
        return self._unfilled + (0 if self._reliable and self._began else self._errors)

    def _pop_passed(self, pts: int | None) -> list[int]:
        passed = []
        while self._waiting and (pts is None or self._waiting[0] < pts):
            passed.append(heapq.heappop(self._waiting))
        return passed


def _is_undisplayed(codec: str, packet: Packet[Stream]) -> bool:
    """Whether the packet is one that is only referred to: VP8 says so in its first byte (RFC 6386, 9.1)."""
    if codec != "vp8" or packet.size < 6:
        return False
    head = bytes(memoryview(packet)[:6])
    is_key, is_shown = not head[0] & 0x01, head[0] & 0x10
    return not is_shown and (not is_key or head[3:] == b"\x9d\x01\x2a")
