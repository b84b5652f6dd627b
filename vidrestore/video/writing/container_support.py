"""Which of the input's streams a container can hold, and the warning that names the others."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import av
from av.container import OutputContainer
from av.stream import Stream

from vidrestore.video.formats.containers import identifies
from vidrestore.video.reading import stream_info

_PICTURE_ALONE = {"image2": "a picture", "yuv4mpegpipe": "y4m", "rawvideo": "raw video"}
"""Formats with a single stream, and their names; the raw video muxer would accept any bytes."""
_DECODED = {"video", "audio", "subtitle"}
"""Kinds of streams that are useless to a reader that does not know their codec."""


def can_hold(muxer: str, stream: Stream) -> bool:
    """Whether the format accepts the stream, tried in memory: not every format knows it in advance."""
    if muxer in _PICTURE_ALONE:
        return False
    if stream.type == "attachment" and muxer != "matroska":
        return False  # some formats accept attachments, but do not write them
    if stream.type in _DECODED and not identifies(muxer, stream_info.canonical_codec_name(stream)):
        return False
    trial = av.open(io.BytesIO(), "w", format=muxer)
    try:
        trial.add_stream_from_template(stream, opaque=True)
        trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    finally:
        _close_quietly(trial)
    return True


def all_left_out_warning(streams: Sequence[str], source: Path, muxer: str) -> list[str]:
    """The warning that names all streams but the video, for an output that holds none of them.

    Args:
        streams: Names of the streams.
        source: The input.
        muxer: The output's muxer.
    """
    return [left_out_warning(streams, source, muxer)] if streams else []


def left_out_warning(streams: Sequence[str], source: Path, muxer: str) -> str:
    """The warning that names the streams of `source` that a container cannot hold.

    Args:
        streams: Names of the streams.
        source: The input.
        muxer: The output's muxer.
    """
    verb, them = ("was", "it") if len(streams) == 1 else ("were", "them")
    kind = _PICTURE_ALONE.get(muxer, muxer)
    return f"the {', '.join(streams)} of {source.name} {verb} left out: {kind} cannot hold {them}"


def _close_quietly(container: OutputContainer) -> None:
    try:
        container.close()
    except av.FFmpegError:
        return
