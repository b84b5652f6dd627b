"""Finds lost pictures: each packet states a time, and each decoded picture removes one of these times."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream

# Packets of these codecs may intentionally give no picture; only their bits show it.
_MAY_BE_EMPTY = {"mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "h263", "flv1"}
_DOUBTED_PICTURES = 32
"""Number of pictures after a damaged packet within which its missing pictures are noticed."""
_LONGEST_FILLED = 10
"""Maximum length of a gap [s] that is filled by repeating the previous picture."""


class LostFrameDetector:
    """Compares the times that packets state with those of decoded pictures.

    Pictures come in presentation order, packets in decoding order. If a later picture has passed a stated
    time, that picture is lost. If even the packet is missing, the container reports damage and the step in
    time is too long. Streams whose pictures have other times than their packets are not checked.
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
        """Start to compare.

        Args:
            codec: FFmpeg's name of the codec.
            interlaced: Whether a picture may come in two packets: one without a picture proves nothing then.
            step: Ticks from one picture to the next.
            time_base: Seconds per tick.
            breaks: Times [s] at which parts of the stream were joined: gaps there are not losses.
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
        """Decoding time of the packet before the damage: lost pictures would be presented later."""
        self._cautious = interlaced or codec in _MAY_BE_EMPTY
        self._waiting: list[int] = []
        self._errors = 0
        self._began = False
        self._reliable = True

    def add_packet(self, packet: Packet[Stream]) -> None:
        """Call before a packet goes to the decoder."""
        if packet.is_corrupt:
            self._doubts, self._doubted_from = _DOUBTED_PICTURES, self._last_dts
        self._last_dts = packet.dts if packet.dts is not None else self._last_dts
        if packet.pts is not None and not packet.is_discard and not _is_undisplayed(self._codec, packet):
            heapq.heappush(self._waiting, packet.pts)

    def add_error(self) -> None:
        """Call when a packet could not be read or decoded."""
        self._errors += 1

    def add_errors(self, count: int) -> None:
        """Call when this number of packets gave no picture."""
        self._errors += count

    def forget(self, pts: int) -> None:
        """Call when the packet's picture was decoded but the packet's time `pts` is wrong."""
        if pts in self._waiting:
            self._waiting.remove(pts)
            heapq.heapify(self._waiting)

    def lost_before(self, pts: int | None) -> list[int]:
        """The times of lost pictures, now that the picture at `pts` is decoded; None: at the end."""
        # A time before the last picture's is wrong, and no loss.
        passed = [time for time in self._pop_passed(pts) if self._last is None or time > self._last]
        if pts is not None and self._waiting and self._waiting[0] == pts:
            while self._waiting and self._waiting[0] == pts:
                heapq.heappop(self._waiting)
        elif pts is not None:
            self._reliable = False
        if not self._began:
            # Packets before the first picture may depend on earlier ones that are not in the file: no loss.
            self._began, self._last = pts is not None, pts
            return []
        if not self._reliable:
            return []
        if self._cautious:
            passed = passed[: self._errors]
        self._errors = max(self._errors - len(passed), 0)
        return passed if pts is None else sorted(passed + self._missing_times(pts, passed))

    def _missing_times(self, pts: int, passed: list[int]) -> list[int]:
        """Times between the last picture and this one that no packet states, at the constant frame rate."""
        last, self._last = self._last, pts
        if self._doubted_from is not None and pts <= self._doubted_from:
            return []
        self._doubts = max(self._doubts - 1, 0)
        joined = any(last is not None and last < time <= pts + self._step // 2 for time in self._breaks)
        if last is None or not self._doubts or joined:
            return []
        if pts - last > self._longest_gap:
            # Either many pictures are missing or the clock is wrong: they are counted, but not filled.
            self._unfilled += self._longest_gap // self._step
            return []
        half = self._step // 2
        return [
            time
            for time in range(last + self._step, pts - half, self._step)
            if all(abs(time - stated) > half for stated in passed)
        ]

    def unmatched_errors(self) -> int:
        """Number of losses without a known time, at the end."""
        return self._unfilled + (0 if self._reliable and self._began else self._errors)

    def _pop_passed(self, pts: int | None) -> list[int]:
        passed = []
        while self._waiting and (pts is None or self._waiting[0] < pts):
            passed.append(heapq.heappop(self._waiting))
        return passed


def _is_undisplayed(codec: str, packet: Packet[Stream]) -> bool:
    """Whether the packet is only a reference and not shown: bit in VP8's first byte (RFC 6386, 9.1)."""
    if codec != "vp8" or packet.size < 6:
        return False
    head = bytes(memoryview(packet)[:6])
    is_key, is_shown = not head[0] & 0x01, head[0] & 0x10
    return not is_shown and (not is_key or head[3:] == b"\x9d\x01\x2a")
