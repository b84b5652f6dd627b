"""Which encoder, which pixel format, which options: decided before the first frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.reformatter import Interpolation, VideoReformatter

from vidrestore.errors import OutputError, UsageError
from vidrestore.types import ColourTags, PixelFormat, Plane
from vidrestore.video import formats

# The option that sets an encoder's quality, and the value at which one sees no difference.
_QUALITY = {
    "libx264": ("crf", 16.0),
    "libx264rgb": ("crf", 16.0),
    "libx265": ("crf", 18.0),
    "libsvtav1": ("crf", 20.0),
    "libvpx-vp9": ("crf", 20.0),
    "libvpx": ("crf", 8.0),
    "h264_nvenc": ("cq", 17.0),
    "hevc_nvenc": ("cq", 19.0),
    "av1_nvenc": ("cq", 22.0),
}
_BY_SCALE = {"mpeg4", "mpeg2video", "mjpeg"}
"""Encoders whose quality is a fixed quantiser; 2 is their best useful one."""
_EVEN_CHROMA = {"libx264", "libx265", "libsvtav1", "h264_nvenc", "hevc_nvenc", "av1_nvenc"}
"""Encoders that refuse a size their subsampled chroma does not divide."""
_TRY = "try --codec ffv1 with an output name that ends in .mkv"
_EXACT_SCALING = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """An encoder and the pixel format it is fed."""

    codec: str
    pixel_format: str
    exact: bool
    """Whether that format holds the frames' samples as they are."""


def choose_encoding(codec: str, frames: PixelFormat, width: int, height: int) -> Encoding:
    """The frames' own format where the encoder takes it, otherwise the nearest one that loses nothing.

    Raises UsageError for an unknown encoder, OutputError where every format would lose something.
    """
    encoder = _encoder(codec)
    if encoder.name == "libx264" and frames.family == "rgb":
        encoder = _encoder("libx264rgb")  # x264's RGB sits in an encoder of its own name
    codec = encoder.name
    offered = [format_.name for format_ in encoder.video_formats or ()]
    if not offered:
        return Encoding(codec=codec, pixel_format=frames.name, exact=True)
    known = {name: formats.describe_format(name) for name in offered if _is_known(name)}
    fitting = {name: format_ for name, format_ in known.items() if _fits(codec, format_, width, height)}
    equal = [name for name, format_ in fitting.items() if format_ == frames]
    if equal:
        return Encoding(codec=codec, pixel_format=min(equal, key=formats.is_packed), exact=True)
    richer = [name for name, format_ in fitting.items() if _holds(format_, frames)]
    if not richer:
        raise OutputError(f"the encoder {codec} cannot hold {frames.name} video without loss of it; {_TRY}")
    nearest = min(richer, key=lambda name: _distance(known[name], frames))
    return Encoding(codec=codec, pixel_format=nearest, exact=False)


def quality_options(codec: str, crf: float | None, preset: str | None) -> dict[str, str]:
    """The encoder's options for a quality and a preset. Raises UsageError for what it does not have."""
    options: dict[str, str] = {}
    known = {option.name for option in av.CodecContext.create(codec, "w").supported_options.private}
    name, default = _QUALITY.get(codec, ("crf", None))
    if crf is None and codec in _BY_SCALE:
        # Limited range in mjpeg is common and works; FFmpeg asks to hear that one knows it is no standard.
        options |= {"flags": "+qscale", "global_quality": str(2 * 118), "strict": "unofficial"}
    value = default if crf is None else crf
    if value is not None:
        if name not in known:
            raise UsageError(f"the encoder {codec} has no crf; leave --crf out")
        options[name] = f"{value:g}"
    if preset is not None:
        if "preset" not in known:
            raise UsageError(f"the encoder {codec} has no presets; leave --preset out")
        options["preset"] = preset
    return options


class Painter:
    """Turns planes into pictures an encoder takes."""

    def __init__(self, encoding: Encoding, frames: PixelFormat, colour: ColourTags) -> None:
        self._encoding = encoding
        self._frames = frames
        self._range = 2 if colour.full_range else 1
        self._scaler = VideoReformatter()

    def paint(self, planes: Sequence[Plane]) -> av.VideoFrame:
        if self._encoding.exact:
            return formats.pack(planes, self._encoding.pixel_format)
        name = self._frames.name
        if self._frames.family == "gray":
            name, planes = _grey_as_yuv(planes[0], self._frames.bit_depth)
        picture = formats.pack(planes, name)
        if name == self._encoding.pixel_format:
            return picture
        return self._scaler.reformat(
            picture,
            format=self._encoding.pixel_format,
            interpolation=_EXACT_SCALING,
            src_color_range=self._range,
            dst_color_range=self._range,
        )


def _encoder(codec: str) -> av.Codec:
    try:
        encoder = av.Codec(codec, "w")
    except (UnknownCodecError, av.FFmpegError) as error:
        raise UsageError(
            f"there is no encoder '{codec}'; try libx264, libx265, libsvtav1, libvpx-vp9, prores_ks or ffv1"
        ) from error
    if encoder.type != "video":
        raise UsageError(f"'{codec}' encodes {encoder.type}, not video; try libx264")
    return encoder


def _is_known(name: str) -> bool:
    """Without the yuvj formats, which are the plain ones under another name, and without floats."""
    return not name.startswith("yuvj") and formats.is_exact(name)


def _fits(codec: str, format_: PixelFormat, width: int, height: int) -> bool:
    right, down = format_.chroma_shift
    return codec not in _EVEN_CHROMA or (width % (1 << right) == 0 and height % (1 << down) == 0)


def _holds(format_: PixelFormat, frames: PixelFormat) -> bool:
    if formats.is_packed(format_.name) or (frames.has_alpha and not format_.has_alpha):
        return False
    same = format_.family == frames.family
    return (
        (same or (frames.family, format_.family) == ("gray", "yuv"))
        and format_.bit_depth >= frames.bit_depth
        and (not same or all(a <= b for a, b in zip(format_.chroma_shift, frames.chroma_shift, strict=True)))
    )


def _distance(format_: PixelFormat, frames: PixelFormat) -> tuple[int, int, bool]:
    # Grey needs no chroma at all; otherwise as little more of it as can be.
    wanted = 4 if frames.family == "gray" else sum(frames.chroma_shift)
    spare = wanted - sum(format_.chroma_shift)
    return (format_.bit_depth - frames.bit_depth, abs(spare), format_.has_alpha)


def _grey_as_yuv(grey: Plane, bit_depth: int) -> tuple[str, tuple[Plane, ...]]:
    neutral = np.full_like(grey, 1 << (bit_depth - 1))
    return "yuv444p" if bit_depth == 8 else f"yuv444p{bit_depth}le", (grey, neutral, neutral)
