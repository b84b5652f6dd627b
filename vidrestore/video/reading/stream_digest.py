"""What lies beside the picture, as digests: equal digests are equal sound."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vidrestore.video.reading import demuxer
from vidrestore.video.reading.input import Input, as_input


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDigest:
    """A stream of sound."""

    codec: str
    packets: int
    sha256: str
    """Of the packets' content, in order."""
    first: Fraction | None
    """Seconds at which its first packet is heard; None where no packet has a time."""
    last: Fraction | None
    """Seconds at which its last packet begins."""


def sound_digests(given: Path | Input) -> tuple[StreamDigest, ...]:
    """A digest for each stream of sound; nothing is decoded. Empty for pictures.

    Raises:
        InputError: the file cannot be opened.
    """
    input = as_input(given)
    if input.is_picture:
        return ()
    with demuxer.open_container(input) as container:
        streams = list(container.streams.audio)
        if not streams:
            return ()
        content = {stream.index: hashlib.sha256() for stream in streams}
        counts = dict.fromkeys(content, 0)
        times: dict[int, list[Fraction]] = {index: [] for index in content}
        for packet in demuxer.packets(container, *streams):
            if packet is None or not packet.size:
                continue
            index = packet.stream_index
            content[index].update(bytes(packet))
            counts[index] += 1
            if packet.pts is not None and packet.time_base:
                at = packet.pts * Fraction(packet.time_base)
                times[index] = [min(at, *times[index]), max(at, *times[index])] if times[index] else [at, at]
        return tuple(
            StreamDigest(
                codec=stream.codec_context.name,
                packets=counts[stream.index],
                sha256=content[stream.index].hexdigest(),
                first=times[stream.index][0] if times[stream.index] else None,
                last=times[stream.index][1] if times[stream.index] else None,
            )
            for stream in streams
        )
