"""The pixel aspect of each picture: it may change within a stream, unless the container states it."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import av
from av.container import InputContainer

_WITHOUT_SHAPE = {"mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "vvc", "vc1"}
"""Containers without a pixel aspect of their own; in others, players use the container's."""


class AspectReader:
    """Tracks the pixel aspect, which PyAV's pictures lack, through the decoder's context.

    A decoder's context has the aspect of pictures that are still in the decoder, which may be some frames
    ahead of its current output. It changes only at key frames.
    """

    def __init__(self, container: InputContainer, first: Fraction) -> None:
        self._follows = container.format.name in _WITHOUT_SHAPE
        self._current = first
        self._waiting: deque[Fraction] = deque()

    def add(self, picture: av.VideoFrame, stated: Fraction | None) -> None:
        """Adds a picture that the decoder returned while its context had this aspect."""
        if self._follows and stated and picture.key_frame:
            self._current = Fraction(stated)
        self._waiting.append(self._current)

    def take(self) -> Fraction:
        """The aspect of the next picture, in the order of `add`."""
        return self._waiting.popleft()
