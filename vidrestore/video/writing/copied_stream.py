"""A stream of the output that takes packets of one of the input's streams, with its metadata."""

from __future__ import annotations

from typing import Any

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidrestore.video.formats.containers import ISO_MEDIA
from vidrestore.video.reading import stream_info

_OF_THE_STREAM = ("BPS", "DURATION", "NUMBER_OF_", "_STATISTICS_", "encoder", "ENCODER")
"""Prefixes of metadata about the old file that would be wrong in the new one."""
_QUICKTIME_NAMES = {
    "bod": "tib", "cym": "wel", "cze": "ces", "deu": "ger", "ell": "gre", "eus": "baq", "fas": "per",
    "fre": "fra", "hrv": "hr ", "hye": "arm", "isl": "ice", "kat": "geo", "mkd": "mac", "msa": "may",
    "mya": "bur", "nld": "dut", "rum": "ron", "slo": "slk", "sqi": "alb", "swe": "sve", "zho": "chi",
}  # fmt: skip
"""FFmpeg's names of languages, and the names by which QuickTime knows them."""
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's default channel layout for a number of channels."""
_EMPTY_TEXT = b"\0\0"
"""An empty subtitle of MP4."""


def add_copy(output: OutputContainer, stream: Stream, metadata: dict[str, str]) -> Stream:
    """A stream of the output for the packets of `stream`, with the same metadata.

    Args:
        output: The output.
        stream: The input's stream.
        metadata: Its metadata for the output.
    """
    target: Stream = output.add_stream_from_template(stream, opaque=True)
    target.metadata.update(metadata)
    language = metadata.get("language", "")
    if output.format.name == "mov" and language in _QUICKTIME_NAMES:
        target.metadata["language"] = _QUICKTIME_NAMES[language]
    target.disposition = stream.disposition
    if output.format.name == "mp4" and isinstance(stream, AudioStream) and isinstance(target, AudioStream):
        channels = stream.layout.nb_channels
        if stream.layout.name == f"{channels} channels" and channels in _LAYOUTS:
            # AVI and WAV may have no channel layout, but MP4 needs one.
            target.codec_context.layout = _LAYOUTS[channels]
    return target


def stream_metadata(stream: Stream) -> dict[str, str]:
    """The stream's metadata without entries about the old file. A title is in `title`, which muxers write."""
    kept = {
        key: text
        for key, text in stream.metadata.items()
        if not key.startswith(_OF_THE_STREAM) and key.lower() != "alpha_mode"
    }
    if stream_info.ISO_TITLE in kept:
        kept.setdefault("title", kept.pop(stream_info.ISO_TITLE))
    return kept


def video_metadata(stream: VideoStream) -> dict[str, str]:
    """`stream_metadata` of a video stream, with the timecode of its file, which MP4 and MOV store in a track.

    FFmpeg reads it into the video's metadata only if the video refers to that track.
    """
    metadata = stream_metadata(stream)
    container: Any = stream.container  # an input's, contrary to its type stub
    for track in container.streams.data:
        if "timecode" in track.metadata:
            metadata.setdefault("timecode", track.metadata["timecode"])
    return metadata


def is_rewritten_by_muxer(output: OutputContainer, stream: Stream, packet: Packet[Stream]) -> bool:
    """Whether the muxer writes this packet itself: MP4's empty texts, which end the previous one.

    Args:
        output: The output.
        stream: The stream in it.
        packet: A packet of that stream.
    """
    text = stream_info.codec_name(stream) == "mov_text" and output.format.name in ISO_MEDIA
    return text and bytes(packet) == _EMPTY_TEXT
