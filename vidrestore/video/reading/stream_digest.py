"""Digests of audio streams: equal digests mean equal sound."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.input import Input, as_input


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDigest:
    """The digest of an audio stream."""

    codec: str
    packets: int
    sha256: str
    """Hash of the packets' contents, in order."""
    first: Fraction | None
    """Time of its first packet [s]; None if no packet has a time."""
    last: Fraction | None
    """Time of its last packet [s]."""


def sound_digests(video_input: Path | Input) -> tuple[StreamDigest, ...]:
    """The digest of each audio stream, without decoding; empty for pictures.

    Raises:
        InputError: The file cannot be opened.
    """
    input = as_input(video_input)
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
                codec=stream_info.codec_name(stream) or "unnamed",
                packets=counts[stream.index],
                sha256=content[stream.index].hexdigest(),
                first=times[stream.index][0] if times[stream.index] else None,
                last=times[stream.index][1] if times[stream.index] else None,
            )
            for stream in streams
        )
