"""Chooses the output's container by `--container`, or by the suffix of its name. Names are FFmpeg's."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import av
from av.format import ContainerFormat

from vidrestore.errors import OutputError, UsageError
from vidrestore.video.formats.image_sequence import is_pattern
from vidrestore.video.formats.suffixes import PICTURES

STDOUT = "-"
"""The name of standard input and standard output."""
ISO_MEDIA = frozenset({"mp4", "mov", "ipod", "3gp", "3g2", "f4v", "ismv"})
MATROSKA = frozenset({"matroska", "webm"})
RAW = frozenset({"nut", "yuv4mpegpipe", "rawvideo"})
"""Containers of uncompressed video between programs."""
STREAMS = RAW | {"matroska", "mpegts"}
"""Containers that can be written to a pipe, without seeking."""
IMAGES = "image2"
"""FFmpeg's muxer of pictures, one in each file."""

_OF_EDITING = {"prores", "prores_ks", "prores_aw", "dnxhd"}
"""Encoders of editing formats, whose usual container is MOV."""
_BY_EXTENSION = {
    "264": "h264", "265": "hevc", "266": "vvc", "3g2": "3g2", "3gp": "3gp", "amv": "amv", "apng": "apng",
    "apv": "apv", "asf": "asf", "avi": "avi", "avs2": "avs2", "avs3": "avs3", "cavs": "cavsvideo",
    "dnxhd": "dnxhd", "dnxhr": "dnxhd", "drc": "dirac", "dv": "dv", "dvd": "dvd", "evc": "evc", "f4v": "f4v",
    "flv": "flv", "gif": "gif",
    "gxf": "gxf", "h261": "h261", "h263": "h263", "h264": "h264", "h265": "hevc", "h266": "vvc",
    "hevc": "hevc", "ismv": "ismv", "ivf": "ivf", "m1v": "mpeg1video", "m2t": "mpegts", "m2ts": "mpegts",
    "m2v": "mpeg2video", "m4v": "ipod", "mjpeg": "mjpeg", "mjpg": "mjpeg", "mkv": "matroska", "mov": "mov",
    "mp4": "mp4", "mpeg": "mpeg", "mpg": "mpeg", "mts": "mpegts", "mxf": "mxf", "nut": "nut", "obu": "obu",
    "ogg": "ogg", "ogv": "ogv", "rm": "rm", "swf": "swf", "ts": "mpegts", "vc1": "vc1", "vc2": "dirac",
    "vob": "vob", "vvc": "vvc", "webm": "webm", "wmv": "asf", "wtv": "wtv", "y4m": "yuv4mpegpipe",
    "yuv": "rawvideo",
}  # fmt: skip
"""Muxer of each suffix of videos."""
_OF_PROGRAM_STREAMS = frozenset([
    "mpeg1video", "mpeg2video", "mpeg4", "h264", "hevc",
    "mp1", "mp2", "mp3", "ac3", "dts", "pcm_dvd", "pcm_s16be", "dvd_subtitle",
])  # fmt: skip
_IDENTIFIED = dict.fromkeys(("mpeg", "vob", "dvd"), _OF_PROGRAM_STREAMS) | {
    "mpegts": frozenset([
        "mpeg1video", "mpeg2video", "mpeg4", "h264", "hevc", "vvc", "cavs", "avs2", "avs3", "dirac", "vc1",
        "mp1", "mp2", "mp3", "aac", "aac_latm", "ac3", "eac3", "dts", "truehd", "opus", "s302m", "pcm_bluray",
        "dvb_subtitle", "dvb_teletext",
    ])
}  # fmt: skip
"""Codecs that a reader recognises, of containers that accept all others too."""
_ONE_WAY = {"avm2", "mxf_d10", "mxf_opatom", "psp", "svcd", "vcd"}
"""Further muxers of video files, which demuxers of other names read."""
_OF_COVERS = {"png", "bmp"}
"""Default codecs of muxers whose pictures are the cover of a sound file, or icons."""
_SHORT = _BY_EXTENSION | {"raw": "rawvideo"}
"""Common names that `--container` takes in addition to FFmpeg's."""


def choose_container(output: Path, container: str | None) -> str:
    """The muxer of `output`.

    Raises:
        UsageError: There is no container of that name, or it does not make one file of video.
        OutputError: The output's name has no known suffix.
    """
    if container is not None:
        return _named(output, container)
    if str(output) == STDOUT:
        return "nut"
    extension = output.suffix.lower().removeprefix(".")
    if output.suffix.lower() in PICTURES:
        return IMAGES
    if is_pattern(output):
        raise OutputError(
            f"{output} names a sequence, but {output.suffix or 'its end'} is not a known kind of picture; "
            "let it end in .png, .tif or .exr"
        )
    if not extension:
        raise OutputError(f"the name {output.name} does not say its kind; let it end in .mp4, .mkv or .mov")
    if extension not in _BY_EXTENSION:
        raise OutputError(
            f"{output.suffix} is not a kind of video known here; let the name end in .mp4, .mkv or .mov"
        )
    return _BY_EXTENSION[extension]


def identifies(muxer: str, codec: str | None) -> bool:
    """Whether the container says of which codec a stream is, so that a reader can decode it.

    Transport and program streams accept any codec, but they store the kinds of a few only.

    Args:
        muxer: The container's muxer.
        codec: FFmpeg's name of the codec, not of an encoder or decoder; None: unknown.
    """
    return muxer not in _IDENTIFIED or codec in _IDENTIFIED[muxer]


def identifies_encoder(muxer: str, encoder: str) -> bool:
    """As `identifies`, for what an encoder writes."""
    return identifies(muxer, av.Codec(encoder, "w").canonical_name)


def holds(muxer: str, encoder: str) -> bool:
    """Whether the container can hold the encoder's video."""
    if not identifies_encoder(muxer, encoder):
        return False
    with av.open(io.BytesIO(), "w", format=muxer) as trial:
        try:
            trial.add_stream(encoder, rate=25)
        except ValueError:
            return False
    return True


def extension_for(encoder: str) -> str | None:
    """The most common suffix of a container that can hold the encoder's video."""
    kinds = {"matroska": ".mkv", "mov": ".mov", "avi": ".avi", "mxf": ".mxf"}
    if encoder in _OF_EDITING:
        kinds = {"mov": ".mov", **kinds}
    return next((extension for muxer, extension in kinds.items() if holds(muxer, encoder)), None)


def _named(output: Path, container: str) -> str:
    name = container.lower().removeprefix(".")
    muxer = _SHORT.get(name, name)
    pictures = f".{name}" in PICTURES or muxer == IMAGES
    if not pictures and not _holds_video(muxer):
        raise UsageError(f"there is no container '{container}' for video; try mp4, mkv, mov, webm or nut")
    if not pictures and not _is_one_file(muxer):
        raise UsageError(
            f"{container} does not store video in one file that can be read again; "
            "try mp4, mkv, mov, webm or nut"
        )
    if pictures or is_pattern(output):
        raise UsageError(f"{container} cannot be the container of {output}; leave --container out")
    if str(output) == STDOUT and muxer not in STREAMS:
        raise UsageError(f"{container} cannot be written into a pipe; use nut, y4m, rawvideo, mkv or ts")
    return muxer


@cache
def _holds_video(muxer: str) -> bool:
    try:
        container = av.open(io.BytesIO(), "w", format=muxer)
    except (ValueError, av.FFmpegError):
        return False
    codec = container.default_video_codec
    container.close()
    return codec not in ("none", "unknown", *_OF_COVERS)


@cache
def _is_one_file(muxer: str) -> bool:
    """Whether the muxer writes one file with the video, rather than several, checksums or to a network."""
    if muxer in _BY_EXTENSION.values() or muxer in _ONE_WAY:
        return True
    try:
        kinds = [ContainerFormat(muxer, "w"), ContainerFormat(muxer, "r")]
    except ValueError:  # there is no demuxer: what it writes cannot be read
        return False
    return not any(kind.no_file for kind in kinds)
