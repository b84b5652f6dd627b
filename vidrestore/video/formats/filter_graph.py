"""A chain of FFmpeg filters: pictures in, pictures out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph


class FilterGraph:
    """A chain of `filters` (name, arguments), for pictures of one size and format."""

    def __init__(
        self, pixel_format: str, width: int, height: int, time_base: Fraction, *filters: tuple[str, str]
    ) -> None:
        self._graph = Graph()
        self._time_base = time_base
        nodes = [
            self._graph.add_buffer(
                width=width,
                height=height,
                format=av.VideoFormat(pixel_format, width, height),
                time_base=time_base,
            ),
            *(self._graph.add(name, arguments or None) for name, arguments in filters),
            self._graph.add("buffersink"),
        ]
        self._graph.link_nodes(*nodes).configure()

    def push(self, picture: av.VideoFrame | None) -> None:
        """Returns the next picture, or None at the end."""
        self._graph.vpush(picture)

    def filter(self, picture: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Pushes the picture and yields the results that are ready."""
        self.push(picture)
        return self.pull()

    def pull(self) -> Iterator[av.VideoFrame]:
        """Yields the results that are ready."""
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
