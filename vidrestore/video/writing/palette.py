"""Reduces pictures to 256 colours for GIF: each has its own palette and is dithered for smooth skin."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph

CODEC, PIXEL_FORMAT = "gif", "pal8"


class PaletteGraph:
    """FFmpeg's `palettegen` and `paletteuse` for pictures of one size and format."""

    def __init__(self, pixel_format: str, width: int, height: int) -> None:
        graph = Graph()
        source = graph.add_buffer(
            width=width,
            height=height,
            format=av.VideoFormat(pixel_format, width, height),
            time_base=Fraction(1, 100),
        )
        split = graph.add("split")
        palette = graph.add("palettegen", "stats_mode=single")
        use = graph.add("paletteuse", "new=1")
        sink = graph.add("buffersink")
        source.link_to(split)
        split.link_to(palette, 0, 0)
        split.link_to(use, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        self._graph = graph
        self._number = 0

    def convert(self, picture: av.VideoFrame) -> av.VideoFrame:
        """The picture with 256 colours, one of which is transparent."""
        picture.pts, picture.time_base = self._number, Fraction(1, 100)
        self._number += 1
        self._graph.vpush(picture)
        (picture_in_palette,) = self._pull()
        return picture_in_palette

    def _pull(self) -> Iterator[av.VideoFrame]:
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
