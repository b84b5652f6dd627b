"""The ffmpeg command lines on both sides of a pipe, built with ffmpeg-python. They are printed, not run."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidrestore.colour.upscale import upscaled_info
from vidrestore.errors import UsageError
from vidrestore.settings import Settings
from vidrestore.types import UPRIGHT, VideoInfo
from vidrestore.video.formats.containers import IMAGES, STDOUT, choose_container
from vidrestore.video.formats.image_sequence import ffmpeg_name, parse_pattern
from vidrestore.video.interlacing.field_processing import choose_field_processing
from vidrestore.video.reading.demuxer import open_container
from vidrestore.video.reading.input import Input, describe_input
from vidrestore.video.reading.look import look_at
from vidrestore.video.writing.codec_choice import choose_codec
from vidrestore.video.writing.container_support import can_hold
from vidrestore.video.writing.encoder_metadata import CODES_FIELDS
from vidrestore.video.writing.encoders import BY_COUNT, quality_options

_OWN_TIMES = {"fps_mode": "passthrough", "enc_time_base": "demux"}
"""Every frame keeps its time, in the input's time base."""

_UNSTATED = (0, 2)


def ffmpeg_pipeline(source: Path, output: Path, settings: Settings, flags: Sequence[str]) -> str:
    """`ffmpeg … | vidrestore restore - - … | ffmpeg …`, quoted for a shell, one program a line.

    Sound and other streams go from `source` to the output without passing through the pipe.

    Args:
        source: The input.
        output: The output.
        settings: All settings.
        flags: The options of vidrestore itself.

    Raises:
        VidrestoreError: One of its subclasses, if the arguments do not fit together.
    """
    if STDOUT in (str(source), str(output)):
        raise UsageError("--print-ffmpeg needs names of files, not -")
    if settings.start is not None or settings.end is not None:
        raise UsageError(
            "--print-ffmpeg is for whole videos, as the sound outside the pipe would not be cut; "
            "leave --start and --end out"
        )
    video_input = describe_input(source, **settings.input_options())
    look = look_at(video_input, measures_fields=True)
    info = look.info
    field_processing = choose_field_processing(look.fields, info, settings.deinterlace)
    restore = ["vidrestore", "restore", STDOUT, STDOUT, *flags]
    if field_processing.method == "fields" and settings.deinterlace == "auto":
        restore += ["--deinterlace", "keep"]  # NUT does not say that it is interlaced
    written = upscaled_info(replace(info, field_order=field_processing.output), settings.upscale)
    lines = [_decode(video_input, info), restore, _encode(video_input, output, written, settings)]
    return " |\n".join(" ".join(map(_quote, line)) for line in lines)


def _quote(word: str) -> str:
    """The word quoted for a shell, with characters that would control a terminal escaped."""
    if word.isprintable():
        return shlex.quote(word)
    written = "".join(
        char.replace("\\", r"\\").replace("'", r"\'")
        if char.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in os.fsencode(char))
        for char in word
    )
    return f"$'{written}'"


def _decode(video_input: Input, info: VideoInfo) -> list[str]:
    """The command that decodes to NUT, with original times and without rotation."""
    import ffmpeg

    opened = ffmpeg.input(_name(video_input), noautorotate=None, **_input_options(video_input))
    pixels = info.pixel_format.name
    video = opened["V:0"].output("pipe:", format="nut", vcodec="rawvideo", pix_fmt=pixels, **_OWN_TIMES)
    return _arguments(video.global_args("-copyts", "-loglevel", "error"))


def _encode(video_input: Input, output: Path, info: VideoInfo, settings: Settings) -> list[str]:
    import ffmpeg

    muxer = choose_container(output, settings.container)
    extension = output.suffix.lower().removeprefix(".")
    size = (info.width * (2 if settings.compare == "side-by-side" else 1), info.height)
    choice = choose_codec(settings.codec, info, muxer, extension, size)
    encoding = choice.encoding
    options: dict[str, Any] = {
        "vcodec": encoding.codec,
        "pix_fmt": encoding.pixel_format,
        **({"fps_mode": "passthrough"} if encoding.codec in BY_COUNT else _OWN_TIMES),
        **_metadata_options(info),
        **quality_options(encoding.codec, settings.crf, settings.preset, choice.options),
    }
    if info.interlaced and encoding.codec in CODES_FIELDS:
        options["flags"] = options.get("flags", "") + "+ildct+ilme"
    # The rotation is stored as metadata, as in the input, and not applied.
    rotation = (
        {} if info.orientation == UPRIGHT else {"noautorotate": None, "display_rotation": info.rotation}
    )
    if info.orientation.mirrored:
        rotation["display_hflip"] = None
    piped = ffmpeg.input("pipe:", format="nut", **rotation)
    streams = [piped["v"]]
    if not video_input.is_picture and muxer != IMAGES:
        others = ffmpeg.input(_name(video_input), **_input_options(video_input))
        streams += [others[number] for number in _copied_streams(video_input, muxer)]
        options |= {"acodec": "copy", "scodec": "copy", "map_metadata": 1, "map_chapters": 1}
    if settings.container is not None:
        options["format"] = muxer
    whole = ffmpeg.output(*streams, ffmpeg_name(str(output)), **options).global_args("-copyts")
    return _arguments(whole.overwrite_output() if settings.overwrite else whole)


def _copied_streams(video_input: Input, muxer: str) -> list[str]:
    """Indices of the streams that bypass the pipe; ffmpeg fails on one that the container cannot hold."""
    with open_container(video_input) as opened:
        return [
            str(stream.index)
            for stream in opened.streams
            if stream.type in ("audio", "subtitle", "attachment") and can_hold(muxer, stream)
        ]


def _metadata_options(info: VideoInfo) -> dict[str, Any]:
    """Options for properties that the pipe loses: colour tags, field order and pixel aspect."""
    tags = {
        "colorspace": info.colour.matrix,
        "color_primaries": info.colour.primaries,
        "color_trc": info.colour.transfer,
    }
    parameters = [f"{name}={number}" for name, number in tags.items() if number not in _UNSTATED]
    if info.colour.full_range and info.pixel_format.family == "yuv":
        parameters.append("range=2")
    if info.interlaced:
        parameters.append(f"field_mode={'tff' if info.field_order == 'top' else 'bff'}")
    described: dict[str, Any] = {"vf": f"setparams={':'.join(parameters)}"} if parameters else {}
    if info.pixel_aspect != 1:
        aspect = Fraction(info.width, info.height) * info.pixel_aspect
        described["aspect"] = f"{aspect.numerator}:{aspect.denominator}"
    return described


def _name(video_input: Input) -> str:
    return (
        ffmpeg_name(str(video_input.path))
        if video_input.pictures is None
        else parse_pattern(video_input.path).for_ffmpeg()
    )


def _input_options(video_input: Input) -> dict[str, Any]:
    return {**video_input.options, **({"format": video_input.format} if video_input.format else {})}


def _arguments(built: Any) -> list[str]:
    return [str(word) for word in built.compile()]
