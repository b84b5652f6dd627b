"""Chooses the output's encoder: the requested one, or the one closest to the input's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import av
from av.codec.codec import Properties, UnknownCodecError

from vidrestore.errors import OutputError, UsageError, VidrestoreError
from vidrestore.runtime.scheduling import keep_scheduling
from vidrestore.types import VideoInfo
from vidrestore.video.formats.containers import IMAGES, ISO_MEDIA, MATROSKA, RAW, holds
from vidrestore.video.writing import palette
from vidrestore.video.writing.encoders import Encoding, choose_encoding, encoder_name

MATCH = "match"

# A visually lossless copy needs more bits than the input: encoding again also keeps the
# first encoder's artefacts. Above twice the rate x264 and x265 gain nothing. Small videos and those with a
# low rate get at least the rate that a restored face needs.
_TIMES_THE_RATE = 2.0
_LEAST_BITS_A_PIXEL = 0.2

_ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "vp8": "libvpx",
    "prores": "prores_ks",
    "wrapped_avframe": "rawvideo",
    "webp": "libwebp",
    "msmpeg4v1": "mpeg4",
    "mpeg1video": "mpeg2video",
}
"""Encoder of each decoder with another name."""
_LOSSY = ("libx264", "libx265", "libvpx-vp9", "libsvtav1", "ffv1")
_LOSSLESS = ("ffv1", "libx264", "libx264rgb", "png", "v210")
_LOSSLESS_IN_ISO_MEDIA = ("libx264", "libx264rgb", "png", "ffv1")
"""More players support lossless H.264 in MP4 than FFV1 in MP4."""
_BY_PICTURE = {
    "jpg": "mjpeg", "jpeg": "mjpeg", "tif": "tiff", "tga": "targa", "jp2": "jpeg2000", "webp": "libwebp",
}  # fmt: skip
_BEST_OF_PICTURES = {"jpeg2000": {"pred": "dwt53"}, "libwebp": {"quality": "97"}}
_DEEP_PICTURES = {"png", "tiff", "exr", "dpx", "jpeg2000", "ppm", "pgm"}
_ALPHA_BESIDE = {"libvpx", "libvpx-vp9"}
"""Encoders that store alpha in separate packets, which only Matroska can hold."""
_ANIMATIONS = {"gif", "apng", "webp"}
"""Codecs of animations in browsers, which few video players support."""
_FOR_ANIMATIONS = ("libx264", "libvpx-vp9", "libsvtav1", "mpeg4", "mpeg2video")
_CHOOSY = {"mpeg2video", "mpeg4", "dvvideo"}
"""Encoders with fixed rates or sizes."""
_TRANSPORT = {"rawvideo", "wrapped_avframe"}
"""Codecs for pipes between programs, which say nothing about how to store the video."""
_PRORES = {"Proxy": "0", "LT": "1", "Standard": "2", "HQ": "3", "4444": "4", "XQ": "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An encoder with options that make its result similar to the input."""

    encoding: Encoding
    options: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    coded_size: tuple[int, int] | None = None
    """Coded width and height, if larger than the picture."""


def choose_codec(codec: str, info: VideoInfo, muxer: str, extension: str, size: tuple[int, int]) -> Choice:
    """The encoder for `--codec`, `match` or a name, in the container `muxer`.

    Args:
        codec: As the setting.
        info: Properties of the input.
        muxer: The output's muxer.
        extension: The output's suffix, without the dot.
        size: Width and height of the frames.

    Raises:
        UsageError: The name is not known.
        OutputError: No encoder fits.
    """
    if muxer == IMAGES:
        return _for_pictures(codec, info, extension, size)
    special = _for_animation(codec, info, muxer, size)
    if special is not None:
        return special
    if codec != MATCH:
        # FFV1 is the only video codec with the 16 bits of a picture.
        deep = info.codec in _DEEP_PICTURES and info.pixel_format.bit_depth == 16
        encoding = choose_encoding(codec, info.pixel_format, *size, convert=True, reduce=deep)
        if encoding.format.has_alpha and encoding.codec in _ALPHA_BESIDE and muxer not in MATROSKA:
            raise OutputError(
                f"{muxer} cannot hold the transparency of {encoding.codec} video; choose an output name that "
                "ends in .webm or .mkv"
            )
        options = {"profile": _dnxhr(info, encoding)} if codec.lower() == "dnxhr" else {}
        if encoding.format.has_alpha and encoding.codec in _ALPHA_BESIDE:
            options = {"auto-alt-ref": "0"}
        return Choice(encoding=encoding, options=options, warnings=_conversion(encoding, info))
    reason = ""
    for name, lossless in _candidates(info, muxer):
        why = _incompatibility(name, info, muxer)
        if why is None:
            try:
                encoding = choose_encoding(name, info.pixel_format, *size, reduce=name == "prores_ks")
            except (OutputError, UsageError) as error:
                why = str(error).partition(";")[0]
            else:
                rare = "; few players show it" if encoding.codec == "png" and muxer in ISO_MEDIA else ""
                warnings = [f"the video becomes {encoding.codec}: {reason}{rare}"] if reason else []
                limit = rate_limit(info, size[0] * size[1] / (info.width * info.height))
                options = _matching_options(info, encoding, limit, lossless=lossless)
                return Choice(
                    encoding=encoding, options=options, warnings=(*warnings, *_conversion(encoding, info))
                )
        reason = reason or why
    raise OutputError(
        f"{muxer} cannot hold {info.pixel_format.name} video by any encoder here; "
        "choose an output name that ends in .mkv"
    )


def _for_apng(codec: str, info: VideoInfo, size: tuple[int, int]) -> Choice:
    if codec != MATCH and encoder_name(codec) != "apng":
        raise UsageError("an .apng is encoded by apng; leave --codec out")
    encoding = choose_encoding("apng", info.pixel_format, *size, convert=True, as_rgb=True)
    return Choice(encoding=encoding, warnings=_conversion(encoding, info))


def _for_gif(codec: str, info: VideoInfo) -> Choice:
    if codec != MATCH and encoder_name(codec) != "gif":
        raise UsageError("a .gif is encoded by gif; leave --codec out")
    warnings = () if info.codec == "gif" else ("each picture was reduced to 256 colours, as GIF has no more",)
    encoding = Encoding(codec=palette.CODEC, pixel_format=palette.PIXEL_FORMAT, exact=False)
    return Choice(encoding=encoding, warnings=warnings)


def _for_animation(codec: str, info: VideoInfo, muxer: str, size: tuple[int, int]) -> Choice | None:
    """The encoder for a GIF, an APNG, or an animation that becomes a video for browsers and phones; None: its
    codec is kept, or another is requested."""
    if muxer == "apng":
        return _for_apng(codec, info, size)
    if muxer == "gif":
        return _for_gif(codec, info)
    if info.codec not in _ANIMATIONS:
        return None
    names = _FOR_ANIMATIONS if codec == MATCH else (encoder_name(codec),)
    transparent = info.pixel_format.has_alpha and not info.is_opaque
    form = "yuv420p"
    if transparent and muxer in MATROSKA and codec == MATCH:
        names, form = ("libvpx-vp9",), "yuva420p"
    name = next((name for name in names if holds(muxer, name) and _takes(name, form)), None)
    if name is None or (codec == MATCH and holds(muxer, info.codec) and muxer not in ISO_MEDIA | MATROSKA):
        return None
    warnings = [f"the {info.codec} animation becomes {name} video"] if codec == MATCH else []
    if transparent and form == "yuv420p":
        warnings.append(
            f"transparent parts of {info.path.name} became white: {name} cannot hold transparency; "
            "an output name that ends in .webm keeps it"
        )
    return Choice(
        encoding=Encoding(codec=name, pixel_format=form, exact=False),
        options={"auto-alt-ref": "0"} if form == "yuva420p" else {},
        warnings=tuple(warnings),
        coded_size=(size[0] + size[0] % 2, size[1] + size[1] % 2),
    )


def _takes(name: str, pixel_format: str) -> bool:
    return pixel_format in (form.name for form in av.Codec(name, "w").video_formats or ())


def is_lossless(codec: str) -> bool:
    """Whether the codec has lossless compression only."""
    try:
        properties: Any = av.Codec(codec, "r").properties  # a number, despite its type stub
    except (UnknownCodecError, av.FFmpegError):
        return False
    return bool(properties & Properties.LOSSLESS.value) and not properties & Properties.LOSSY.value


def rate_limit(info: VideoInfo, times: float = 1.0) -> int | None:
    """Maximum bits per second for a result close to the input's rate; None if that is not known.

    `times`: how many times larger the output's picture is.
    """
    if not info.bit_rate:
        return None
    least = _LEAST_BITS_A_PIXEL * info.width * info.height * float(info.frame_rate)
    return round(max(_TIMES_THE_RATE * info.bit_rate, least) * times)


def _candidates(info: VideoInfo, muxer: str) -> Iterator[tuple[str, bool]]:
    """Encoders, the closest to the input first, each with whether it must be lossless."""
    if muxer in RAW:
        yield "rawvideo", True
        return
    if info.codec in _TRANSPORT:
        if muxer == "avi":
            yield "rawvideo", True
        elif muxer not in ISO_MEDIA | {"webm", "mpegts"}:
            yield "ffv1", True
        yield from ((name, False) for name in _LOSSY)
        return
    lossless = is_lossless(info.codec)
    yield _ENCODERS.get(info.codec, info.codec), lossless
    if lossless:
        yield from ((name, True) for name in (_LOSSLESS_IN_ISO_MEDIA if muxer in ISO_MEDIA else _LOSSLESS))
    if info.pixel_format.has_alpha and muxer == "mov":
        yield "prores_ks", False
    yield from ((name, False) for name in _LOSSY)


def _incompatibility(name: str, info: VideoInfo, muxer: str) -> str | None:
    try:
        av.Codec(name, "w")
    except (UnknownCodecError, av.FFmpegError):
        return f"there is no encoder for {info.codec} here"
    if info.pixel_format.has_alpha and name in _ALPHA_BESIDE and muxer not in MATROSKA:
        return f"{muxer} cannot hold the alpha of {name}"
    if name != "rawvideo" and not holds(muxer, name):
        return f"{muxer} cannot hold {name}"
    if name in _CHOOSY and not _opens(name, info):
        return f"{name} takes no {info.width}x{info.height} {info.pixel_format.name} video at this rate"
    return None


def _opens(name: str, info: VideoInfo) -> bool:
    trial = av.CodecContext.create(name, "w")
    assert isinstance(trial, av.VideoCodecContext)
    trial.width, trial.height, trial.pix_fmt = info.width, info.height, info.pixel_format.name
    trial.time_base, trial.framerate = 1 / info.frame_rate, info.frame_rate
    try:
        with keep_scheduling():
            trial.open()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _matching_options(
    info: VideoInfo, encoding: Encoding, limit: int | None, *, lossless: bool
) -> dict[str, str]:
    """Options for the input's profile and rate."""
    encoder = encoding.codec
    if encoder in ("libx264", "libx264rgb"):
        rate = {"qp": "0"} if lossless else _rate_options(limit)
        return rate | ({"g": "1"} if "Intra" in (info.profile or "") else {})
    if encoder in ("libx265", "libsvtav1"):
        return _rate_options(limit)
    if encoder in ("libvpx-vp9", "libvpx", "mpeg4", "mpeg2video"):
        rate = {} if limit is None else {"b": str(limit)}
        # libvpx cannot code alpha together with frames that are never shown.
        return rate | ({"auto-alt-ref": "0"} if encoding.format.has_alpha else {})
    if encoder == "prores_ks" and info.profile in _PRORES:
        return {"profile": _PRORES[info.profile]}
    if encoder == "dnxhd":
        return {"profile": _dnxhr(info, encoding)}
    return {}


def _rate_options(limit: int | None) -> dict[str, str]:
    return {} if limit is None else {"maxrate": str(limit), "bufsize": str(limit)}


def _dnxhr(info: VideoInfo, encoding: Encoding) -> str:
    """Whether DNxHR is needed: DNxHD has fixed sizes and rates only."""
    profile = (info.profile or "").lower().replace(" ", "_")
    if profile.startswith("dnxhr_"):
        return profile
    if encoding.format.family == "rgb" or encoding.format.chroma_shift == (0, 0):
        return "dnxhr_444"
    return "dnxhr_hq" if encoding.format.bit_depth == 8 else "dnxhr_hqx"


def _for_pictures(codec: str, info: VideoInfo, extension: str, size: tuple[int, int]) -> Choice:
    own = _BY_PICTURE.get(extension, extension)
    if codec != MATCH and encoder_name(codec) != own:
        raise UsageError(f"pictures in .{extension} are encoded by {own}; leave --codec out")
    try:
        as_rgb = own not in ("mjpeg", "libwebp")  # few viewers show YUV in other formats
        encoding = choose_encoding(own, info.pixel_format, *size, convert=True, as_rgb=as_rgb)
    except VidrestoreError as error:
        advice = "; let the name end in .png or .tif"
        raise OutputError(str(error).partition(";")[0] + advice) from error
    return Choice(encoding=encoding, options=_BEST_OF_PICTURES.get(own, {}))


def _conversion(encoding: Encoding, info: VideoInfo) -> tuple[str, ...]:
    source, target = info.pixel_format, encoding.format
    if target.bit_depth >= source.bit_depth and {source.family, target.family} != {"rgb", "yuv"}:
        return ()
    return (f"{source.name} was converted to {target.name}, the nearest that {encoding.codec} takes",)
