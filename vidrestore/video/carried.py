"""What containers hold of a stream, and what they must be told or spared for it to arrive as it was."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from vidrestore.video.container import ISO_MEDIA

_PICTURE_ALONE = {"image2": "a picture", "yuv4mpegpipe": "y4m", "rawvideo": "raw video"}
"""Formats that hold one stream, and what people call them; raw video's would take any bytes."""
# A transport stream takes any subtitle, but calls those it does not know data.
_BROADCAST_SUBTITLES = {"dvbsub", "dvb_subtitle", "dvb_teletext"}
# QuickTime has a code for these languages, which FFmpeg finds under the other name only.
_QUICKTIME_NAMES = {
    "bod": "tib", "cym": "wel", "cze": "ces", "deu": "ger", "ell": "gre", "eus": "baq", "fas": "per",
    "fre": "fra", "hrv": "hr ", "hye": "arm", "isl": "ice", "kat": "geo", "mkd": "mac", "msa": "may",
    "mya": "bur", "nld": "dut", "rum": "ron", "slo": "slk", "sqi": "alb", "swe": "sve", "zho": "chi",
}  # fmt: skip
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's own guess of where a number of channels goes."""
_EMPTY_TEXT = b"\0\0"


def can_hold(muxer: str, stream: Stream) -> bool:
    """Whether the format takes the stream, tried in memory: not every format knows before."""
    if muxer in _PICTURE_ALONE:
        return False
    if muxer == "webm" and stream.type == "attachment":
        return False  # taken and not written
    if muxer == "mpegts" and stream.type == "subtitle":
        return stream.name in _BROADCAST_SUBTITLES
    trial = av.open(io.BytesIO(), "w", format=muxer)
    try:
        trial.add_stream_from_template(stream, opaque=True)
        trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    finally:
        _close_quietly(trial)
    return True


def left_out(streams: Sequence[str], source: Path, muxer: str) -> str:
    """The sentence that names what of `source` a container cannot hold."""
    verb, them = ("was", "it") if len(streams) == 1 else ("were", "them")
    kind = _PICTURE_ALONE.get(muxer, muxer)
    return f"the {', '.join(streams)} of {source.name} {verb} left out: {kind} cannot hold {them}"


def add_copy(output: OutputContainer, stream: Stream, metadata: dict[str, str]) -> Stream:
    """A stream of the output for the packets of `stream`, said of itself what the input says."""
    target: Stream = output.add_stream_from_template(stream, opaque=True)
    target.metadata.update(metadata)
    language = metadata.get("language", "")
    if output.format.name == "mov" and language in _QUICKTIME_NAMES:
        target.metadata["language"] = _QUICKTIME_NAMES[language]
    target.disposition = stream.disposition
    if output.format.name == "mp4" and isinstance(stream, AudioStream) and isinstance(target, AudioStream):
        channels = stream.layout.nb_channels
        if stream.layout.name == f"{channels} channels" and channels in _LAYOUTS:
            # AVI and WAV leave unsaid which channel is which; MP4 has no way to.
            target.codec_context.layout = _LAYOUTS[channels]
    return target


def is_made_anew(output: OutputContainer, stream: Stream, packet: Packet[Stream]) -> bool:
    """Whether the muxer writes this packet itself: MP4's empty texts, which end the one before."""
    text = stream.name == "mov_text" and output.format.name in ISO_MEDIA
    return text and bytes(packet) == _EMPTY_TEXT


def _close_quietly(container: OutputContainer) -> None:
    try:
        container.close()
    except av.FFmpegError:
        return
