"""The pixel aspect of each picture of a stream, which may change where the container says nothing of it."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import av
from av.container import InputContainer

_WITHOUT_SHAPE = {"mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "vvc", "vc1"}
"""Containers that leave the shape to the stream; in others, players believe the container."""


class AspectReader:
    """Reads the pixel aspect beside the decoder, which does not write it on the pictures PyAV gives.

    A decoder states that of the pictures it is about to hand out, which may be some ahead of the one it hands
    out now; it changes at a key frame only.
    """

    def __init__(self, container: InputContainer, first: Fraction) -> None:
        self._follows = container.format.name in _WITHOUT_SHAPE
        self._current = first
        self._waiting: deque[Fraction] = deque()

    def add(self, picture: av.VideoFrame, stated: Fraction | None) -> None:
        """A picture comes out of the decoder, which states this aspect then."""
        if self._follows and stated and picture.key_frame:
            self._current = Fraction(stated)
        self._waiting.append(self._current)

    def take(self) -> Fraction:
        """The aspect of the next picture, in the order in which they were added."""
        return self._waiting.popleft()
