"""Captions in the user data of coded video: CEA-608 and CEA-708."""

from __future__ import annotations

from fractions import Fraction

import av

from vidrestore.video.formats.filter_graph import FilterGraph
from vidrestore.video.reading import side_data

_CODECS = {"h264", "hevc", "mpeg1video", "mpeg2video", "av1", "vvc"}
"""Codecs whose decoders export captions."""


class CaptionReader:
    """Reads the captions of pictures."""

    def __init__(self, codec: str) -> None:
        self._is_possible = codec in _CODECS
        self._graph: tuple[tuple[str, int, int], FilterGraph] | None = None

    def read(self, picture: av.VideoFrame) -> bytes:
        """The triplets of A/53's `cc_data`; empty if there are none."""
        if not self._is_possible or not any(self._selected(picture).filter(picture)):
            return b""
        return b"".join(data for kind, data in side_data.entries(picture) if kind == "A53_CC")

    def _selected(self, picture: av.VideoFrame) -> FilterGraph:
        """A filter that passes pictures with captions, as reading side data is not safe (see `entries`)."""
        shape = (picture.format.name, picture.width, picture.height)
        if self._graph is None or self._graph[0] != shape:
            self._graph = shape, FilterGraph(*shape, Fraction(1, 25), ("sidedata", "mode=select:type=A53_CC"))
        return self._graph[1]
