"""Colour profiles (ICC) in the header of MP4 and MOV, which PyAV can neither read nor set.

As for other marks (`stream_marks.py`), the bitstream filter `null` copies the side data of a stream that
FFmpeg has read. Matroska has no place for a profile, so the header here is one of MOV, made by hand.
"""

from __future__ import annotations

import io
import struct

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from vidrestore.video.reading import demuxer

CODECS = {
    "libx264": b"avc1",
    "h264_nvenc": b"avc1",
    "libx264rgb": b"avc1",
    "libx265": b"hvc1",
    "hevc_nvenc": b"hvc1",
    "libsvtav1": b"av01",
    "av1_nvenc": b"av01",
    "libvpx-vp9": b"vp09",
    "prores_ks": b"apcn",
    "prores": b"apcn",
    "mpeg4": b"mp4v",
    "ffv1": b"FFV1",
}
"""MOV's codes of codecs, by the encoders."""
MUXER_FLAG = "+prefer_icc"
"""For `movflags`: otherwise the muxer writes the colours' codes in the place of the profile."""
_OPTIONS = {"movflags": f"{MUXER_FLAG}+empty_moov+frag_custom"}
"""With them the header is written at once."""
_DOTS_PER_INCH = 72 << 16


def read_profile(stream: VideoStream) -> bytes | None:
    """The colour profile in the header of a stream's container, if MOV or MP4 can hold the stream."""
    for muxer in ("mov", "mp4"):
        file = io.BytesIO()
        try:
            with av.open(file, "w", format=muxer, container_options=_OPTIONS) as trial:
                trial.add_stream_from_template(stream, opaque=True)
                trial.start_encoding()
                header = file.getvalue()
        except (av.FFmpegError, ValueError):
            continue  # a codec that it cannot hold
        at = header.find(b"colrprof")
        if at >= 4:
            (size,) = struct.unpack_from(">I", header, at - 4)
            return header[at + 8 : at - 4 + size]
    return None


def set_profile(stream: VideoStream, encoder: str, profile: bytes, width: int, height: int) -> None:
    """Adds the profile to the stream's parameters. Call it before the encoder is opened.

    Args:
        stream: The output's video stream.
        encoder: Name of its encoder, one of `CODECS`.
        profile: The profile.
        width: Width of the frames.
        height: Height of the frames.
    """
    context = stream.codec_context
    rate, bits = context.framerate, context.bit_rate
    with demuxer.open_own_header(_header(CODECS[encoder], profile, width, height), "mov") as made:
        BitStreamFilterContext("null", in_stream=made.streams.video[0], out_stream=stream)
    context.framerate, context.bit_rate = rate, bits or 0


def _header(code: bytes, profile: bytes, width: int, height: int) -> bytes:
    """A MOV file without frames, whose video has the profile."""
    sample = _box(
        code,
        struct.pack(">6xH16xHH", 1, width, height),
        struct.pack(">II4xH32xHh", _DOTS_PER_INCH, _DOTS_PER_INCH, 1, 24, -1),
        _box(b"colr", b"prof", profile),
    )
    samples = _box(
        b"stbl",
        _box(b"stsd", struct.pack(">4xI", 1), sample),
        *(_box(name, bytes(8)) for name in (b"stts", b"stsc", b"stco")),
        _box(b"stsz", bytes(12)),
    )
    media = _box(
        b"mdia",
        _box(b"mdhd", struct.pack(">12xI8x", 1000)),
        _box(b"hdlr", struct.pack(">8x4s13x", b"vide")),
        _box(b"minf", samples),
    )
    track = _box(b"trak", _box(b"tkhd", struct.pack(">12xI68x", 1)), media)
    movie = _box(b"moov", _box(b"mvhd", struct.pack(">12xI84x", 1000)), track)
    return _box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + movie + _box(b"mdat")


def _box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), name) + content
