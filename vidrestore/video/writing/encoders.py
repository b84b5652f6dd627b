"""Encoders, and the choice of their pixel formats and options before the first frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import av
from av.codec.codec import UnknownCodecError

from vidrestore.errors import DeviceError, OutputError, UsageError
from vidrestore.types import PixelFormat
from vidrestore.video.formats import pixel_formats

# The option that sets an encoder's quality, and its visually lossless value.
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
_NVENC_QUALITY = {"rc": "vbr", "b": "0"}
"""Without them NVENC limits a constant quality to 2 Mbit/s."""
_NAMES = {
    "avc": "libx264",
    "x264": "libx264",
    "h265": "libx265",
    "hevc": "libx265",
    "x265": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "vp8": "libvpx",
    "prores": "prores_ks",
    "dnxhr": "dnxhd",
    "mpeg2": "mpeg2video",
    "jpeg": "mjpeg",
    "raw": "rawvideo",
}
"""Common names of encoders for which FFmpeg would choose another one or none."""
_HARDWARE = {
    "nvenc": "an NVIDIA GPU that encodes, with its driver",
    "qsv": "an Intel GPU with its driver",
    "amf": "an AMD GPU with its driver",
    "vaapi": "a GPU that VA-API drives",
    "videotoolbox": "an Apple computer",
    "mf": "Windows",
    "v4l2m2m": "a board that encodes",
    "vulkan": "a GPU that encodes by Vulkan",
}
"""Suffixes of hardware encoders, which exist in the library even if the hardware is missing."""
_BY_SCALE = {"mpeg4", "mpeg2video", "mjpeg"}
"""Encoders with a fixed quantiser as quality; 2 is the best useful value."""
BY_COUNT = {"mpeg2video", "mpeg4", "dvvideo"}
"""Encoders for constant frame rates only, which get frame numbers as times."""
_OF_RATE = {"maxrate", "bufsize", "b", "qp"}
"""Encoder options that set a bit rate or a fixed quantiser."""
_EVEN_CHROMA = {"libx264", "libx265", "libsvtav1", "h264_nvenc", "hevc_nvenc", "av1_nvenc"}
"""Encoders that refuse sizes which are not a multiple of the chroma subsampling."""
_TRY = "try --codec ffv1 with an output name that ends in .mkv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """An encoder and its input pixel format."""

    codec: str
    pixel_format: str
    exact: bool
    """Whether that format holds the frames' samples unchanged."""

    @property
    def format(self) -> PixelFormat:
        return pixel_formats.describe_format(self.pixel_format)


def encoder_name(codec: str) -> str:
    """FFmpeg's name of the encoder `codec`.

    Raises:
        UsageError: There is none.
    """
    return _encoder(codec).name


def choose_encoding(
    codec: str,
    frames: PixelFormat,
    width: int,
    height: int,
    *,
    convert: bool = False,
    reduce: bool = False,
    as_rgb: bool = False,
) -> Encoding:
    """The frames' own pixel format if the encoder supports it, otherwise the closest lossless one.

    With `convert`, RGB may become YUV and the other way round; with `as_rgb`, YUV must become RGB; with
    `reduce`, fewer bits per sample are allowed.

    Args:
        codec: Name of the encoder.
        frames: The frames' pixel format.
        width: Width of the frames.
        height: Height of the frames.
        convert: Whether RGB may become YUV, and the other way round.
        reduce: Whether fewer bits per sample are allowed.
        as_rgb: Whether YUV must become RGB.

    Raises:
        UsageError: The encoder is not known.
        DeviceError: The encoder's hardware is missing.
        OutputError: Every format would lose something.
    """
    encoder = _encoder(codec)
    if encoder.name == "libx264" and frames.family == "rgb":
        encoder = _encoder("libx264rgb")  # RGB with x264 has an encoder name of its own
    codec = encoder.name
    _check_device(codec)
    offered = [format_.name for format_ in encoder.video_formats or ()]
    if not offered:
        return Encoding(codec=codec, pixel_format=frames.name, exact=True)
    supported = {name: pixel_formats.describe_format(name) for name in offered if _is_known(name)}
    if codec == "libx265":  # it is built without support for alpha
        supported = {name: format_ for name, format_ in supported.items() if not format_.has_alpha}
    if as_rgb:
        supported = {name: format_ for name, format_ in supported.items() if format_.family != "yuv"}
    fitting = {name: format_ for name, format_ in supported.items() if _fits(codec, format_, width, height)}
    equal = [name for name, format_ in fitting.items() if format_ == frames]
    if equal:
        return Encoding(codec=codec, pixel_format=min(equal, key=pixel_formats.is_packed), exact=True)
    richer = _richer(fitting, frames, convert=convert)
    if not richer and reduce:
        richer = _richer(fitting, replace(frames, bit_depth=8), convert=convert)
        deepest = max((fitting[name].bit_depth for name in richer), default=0)
        richer = [name for name in richer if fitting[name].bit_depth == deepest]
    if not richer:
        raise OutputError(f"the encoder {codec} cannot hold {frames.name} video without loss of it; {_TRY}")
    nearest = min(
        richer, key=lambda name: (_distance(supported[name], frames), pixel_formats.is_packed(name))
    )
    return Encoding(codec=codec, pixel_format=nearest, exact=False)


def quality_options(
    codec: str, crf: float | None, preset: str | None, like_input: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The encoder's options for a quality and a preset. A requested quality has no rate limit.

    Args:
        codec: Name of the encoder.
        crf: The requested quality; None: visually lossless.
        preset: The requested preset, or None.
        like_input: Options that imitate the input, without a requested quality.

    Raises:
        UsageError: The encoder does not support the option.
    """
    options = {n: v for n, v in (like_input or {}).items() if crf is None or n not in _OF_RATE}
    supported = {option.name for option in av.CodecContext.create(codec, "w").supported_options.private}
    name, default = _QUALITY.get(codec, ("crf", None))
    if crf is None and codec in _BY_SCALE and "b" not in options:
        # Limited range in mjpeg is common and works, but FFmpeg requires this option for it.
        options |= {"flags": "+qscale", "global_quality": str(2 * 118), "strict": "unofficial"}
    value = default if crf is None and "qp" not in options else crf
    if value is not None:
        if name not in supported:
            raise UsageError(f"the encoder {codec} has no crf; leave --crf out")
        options[name] = f"{value:g}"
        if codec.endswith("_nvenc"):
            options |= _NVENC_QUALITY
    if preset is not None:
        if "preset" not in supported:
            raise UsageError(f"the encoder {codec} has no presets; leave --preset out")
        options["preset"] = preset
    return options


def _check_device(codec: str) -> None:
    """Raises DeviceError if the hardware of an encoder is missing: only opening the encoder shows it."""
    needs = _HARDWARE.get(codec.rpartition("_")[2])
    if needs is None:
        return
    trial = av.CodecContext.create(codec, "w")
    assert isinstance(trial, av.VideoCodecContext)
    trial.width = trial.height = 256
    trial.pix_fmt = next((f.name for f in trial.codec.video_formats or () if _is_known(f.name)), "nv12")
    trial.time_base = Fraction(1, 25)
    try:
        trial.open()
    except (av.FFmpegError, ValueError, OSError) as error:
        raise DeviceError(
            f"the encoder {codec} needs {needs}, and there is none here; choose h264, hevc or av1"
        ) from error


def _encoder(codec: str) -> av.Codec:
    try:
        encoder = av.Codec(_NAMES.get(codec.lower(), codec), "w")
    except (UnknownCodecError, av.FFmpegError) as error:
        raise UsageError(
            f"there is no encoder '{codec}'; try match, h264, hevc, av1, vp9, prores, dnxhr or ffv1"
        ) from error
    if encoder.type != "video":
        raise UsageError(f"'{codec}' encodes {encoder.type}, not video; try h264")
    return encoder


def _is_known(name: str) -> bool:
    """The encoder's pixel formats, without floats and without the yuvj formats, which are only aliases."""
    return not name.startswith("yuvj") and (pixel_formats.is_exact(name) or name == "gray16be")


def _fits(codec: str, format_: PixelFormat, width: int, height: int) -> bool:
    right, down = format_.chroma_shift
    return codec not in _EVEN_CHROMA or (width % (1 << right) == 0 and height % (1 << down) == 0)


def _richer(fitting: Mapping[str, PixelFormat], frames: PixelFormat, *, convert: bool) -> list[str]:
    richer = [name for name, format_ in fitting.items() if _holds(format_, frames)]
    if not richer and convert:
        richer = [name for name, format_ in fitting.items() if _converts(format_, frames)]
    return richer


def _converts(format_: PixelFormat, frames: PixelFormat) -> bool:
    """Whether it holds the frames' picture in another family, with at least as many bits and with alpha."""
    return (
        format_.family not in ("gray", frames.family)
        and format_.bit_depth >= frames.bit_depth
        and not (frames.has_alpha and not format_.has_alpha)
    )


def _holds(format_: PixelFormat, frames: PixelFormat) -> bool:
    if frames.has_alpha and not format_.has_alpha:
        return False
    same = format_.family == frames.family
    return (
        (same or (frames.family, format_.family) == ("gray", "yuv"))
        and format_.bit_depth >= frames.bit_depth
        and (not same or all(a <= b for a, b in zip(format_.chroma_shift, frames.chroma_shift, strict=True)))
    )


def _distance(format_: PixelFormat, frames: PixelFormat) -> tuple[int, int, bool]:
    # Grey needs no chroma; otherwise prefer the least additional chroma.
    wanted = 4 if frames.family == "gray" else sum(frames.chroma_shift)
    spare = wanted - sum(format_.chroma_shift)
    return (format_.bit_depth - frames.bit_depth, abs(spare), format_.has_alpha)
