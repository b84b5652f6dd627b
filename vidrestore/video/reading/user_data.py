"""ATSC user data of coded pictures: captions (CEA-608 and CEA-708), and the active format description."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av

from vidrestore.video.formats.filter_graph import FilterGraph
from vidrestore.video.reading import side_data

_CODECS = {
    "A53_CC": {"h264", "hevc", "mpeg1video", "mpeg2video", "av1", "vvc"},
    "AFD": {"h264", "hevc", "mpeg1video", "mpeg2video", "vvc"},
}
"""Codecs whose decoders export each type of side data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserData:
    """The ATSC user data of one picture."""

    captions: bytes = b""
    """Triplets of A/53's `cc_data`."""
    active_format: int | None = None
    """The code of the active format description, 0 to 15."""


class UserDataReader:
    """Reads the user data of pictures of the codec."""

    def __init__(self, codec: str) -> None:
        self._types = [type_ for type_, codecs in _CODECS.items() if codec in codecs]
        self._graphs: tuple[tuple[str, int, int], list[FilterGraph]] | None = None

    def read(self, picture: av.VideoFrame) -> UserData:
        """The user data of a picture, empty if there is none."""
        if not any(list(graph.filter(picture)) for graph in self._selecting(picture)):
            return UserData()
        found = side_data.entries(picture)
        formats = [data[0] & 15 for kind, data in found if kind == "AFD" and data]
        return UserData(
            captions=b"".join(data for kind, data in found if kind == "A53_CC"),
            active_format=formats[0] if formats else None,
        )

    def _selecting(self, picture: av.VideoFrame) -> list[FilterGraph]:
        """Filters that pass pictures with user data, as reading side data is not safe (see `entries`)."""
        shape = (picture.format.name, picture.width, picture.height)
        if self._graphs is None or self._graphs[0] != shape:
            graphs = [
                FilterGraph(*shape, Fraction(1, 25), ("sidedata", f"mode=select:type={type_}"))
                for type_ in self._types
            ]
            self._graphs = shape, graphs
        return self._graphs[1]
