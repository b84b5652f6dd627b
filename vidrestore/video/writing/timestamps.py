"""Keeps timestamps through an encoder: each packet gets its frame's time."""

from __future__ import annotations

from fractions import Fraction

import av
from av.packet import Packet
from av.video.stream import VideoStream

from vidrestore.types import Frame, VideoInfo


class FrameTimes:
    """Sets times of pictures before an encoder and of packets after it; stores the times in between.

    Encoders for constant frame rates refuse a fine time base, or write it as their rate. They get frame
    numbers as times, and their packets get the real times, unless the container has none.
    """

    def __init__(self, info: VideoInfo, *, numbers: bool, timeless: bool) -> None:
        """`numbers`: the encoder gets frame numbers. `timeless`: both encoder and container do."""
        self.is_uneven = False
        """Whether a frame so far was more than half a frame away from a constant rate."""
        self.encoder_base = 1 / info.frame_rate if numbers or timeless else info.time_base
        """Seconds a tick of what the encoder gets."""
        self.stream_base = self.encoder_base if timeless else info.time_base
        """Seconds a tick of what the container gets."""
        self._numbers = numbers or timeless
        self._timeless = timeless
        self._info = info
        self._count = 0
        self._first: Fraction | None = None
        self._pts: dict[int, int] = {}
        self._durations: dict[int, int] = {}

    def stamp(self, picture: av.VideoFrame, frame: Frame, shift: int) -> None:
        """Sets the time of a picture that will be encoded.

        Args:
            picture: The picture for the encoder.
            frame: The frame whose time it gets.
            shift: Subtracted from the frame's time [ticks of the frame].
        """
        pts = frame.pts - shift
        stamped = self._count if self._numbers else pts
        picture.time_base = self.encoder_base
        picture.pts, picture.duration = stamped, 1 if self._numbers else frame.duration
        self._note(frame)
        if not self._timeless:
            self._durations[stamped] = frame.duration
            if self._numbers:
                self._pts[stamped] = pts

    def restamp(self, packet: Packet[VideoStream]) -> None:
        """Sets the packet's time and duration to its frame's."""
        if self._timeless or packet.pts is None:
            return
        # Most encoders lose durations, and the last frame's duration is stored nowhere else.
        duration = self._durations.pop(packet.pts, 0)
        if self._numbers:
            dts = packet.pts if packet.dts is None else packet.dts
            # An encoder that reorders starts decoding before its first frame.
            before = min(dts, 0) * round(1 / (self._info.frame_rate * self._info.time_base))
            packet.pts, packet.dts = self._pts[packet.pts], self._pts[max(dts, 0)] + before
            packet.time_base, packet.duration = self._info.time_base, duration
            for number in [number for number in self._pts if 0 < number < dts]:
                del self._pts[number]
        packet.duration = duration or packet.duration

    def _note(self, frame: Frame) -> None:
        time = frame.pts * frame.time_base
        self._first = time if self._first is None else self._first
        off = (time - self._first) * self._info.frame_rate - self._count
        self.is_uneven |= abs(off) > Fraction(1, 2)
        self._count += 1
