"""Metadata that encoders and containers write: field order, chroma siting, HDR10; warnings about losses."""

from __future__ import annotations

from fractions import Fraction

import av
from av.codec.context import Flags

from vidrestore.colour.matrices import HD_LINES
from vidrestore.types import ColourTags, FieldOrder, VideoInfo
from vidrestore.video.formats.containers import IMAGES, ISO_MEDIA, RAW
from vidrestore.video.formats.filter_graph import FilterGraph
from vidrestore.video.formats.pieces import handling
from vidrestore.video.reading.side_data import SITINGS, Hdr10, SideData

_CODED_ORDERS = {"top": (2, 5), "bottom": (3, 4)}
"""Codes of AVFieldOrder by presentation and coding order; the first of each is the default."""
CODES_FIELDS = {"libx264", "libx264rgb", "mpeg2video", "prores_ks", "prores", "dnxhd", "mpeg4"}
"""Encoders that can code the fields of a picture separately."""
_PARAMETERS = {"libx264": "x264-params", "libx265": "x265-params", "libsvtav1": "svtav1-params"}
_PRIMARY_UNIT, _LUMINANCE_UNIT = 50000, 10000
_CARRIES_ASPECT = {"libx264", "libx264rgb", "libx265", "h264_nvenc", "hevc_nvenc", "mpeg4", "mpeg2video"}
"""Encoders that write the pixel aspect into the pictures; PyAV writes it only into MP4 and MOV."""
_PICTURES_WITH_ASPECT = {"png", "tiff", "dpx", "mjpeg"}
_PICTURES_WITH_COLOUR = {"png", "exr"}
"""Kinds of pictures that need no colour tags: PNG stores them, and EXR has a fixed meaning."""
_PIPE_WITH_FIELDS = "yuv4mpegpipe"
_SD_TAGS, _HD_TAGS, _UNSTATED = {5, 6}, {1}, {0, 2}


def field_order_code(order: FieldOrder, source_code: int) -> int:
    """AVFieldOrder of the output: the input's, if it agrees with the order."""
    codes = _CODED_ORDERS.get(order)
    if codes is None:
        return source_code if source_code in (0, 1) else 1
    return source_code if source_code in codes else codes[0]


def encoder_options(codec: str, order: FieldOrder, colour: ColourTags, hdr: Hdr10 | None) -> dict[str, str]:
    """Encoder options that describe the pictures.

    Args:
        codec: Name of the encoder.
        order: The field order.
        colour: The colour tags.
        hdr: The static HDR metadata, or None.
    """
    options: dict[str, str] = {}
    if 0 < colour.siting < len(SITINGS):
        options["chroma_sample_location"] = SITINGS[colour.siting]
    parameters = []
    if order != "progressive" and codec == "libx264":
        parameters.append("tff=1" if order == "top" else "bff=1")
    if codec == "libx265":
        parameters.append("log-level=error")  # otherwise it writes a page to standard error
    if hdr is not None and codec in _PARAMETERS:
        parameters += _hdr_parameters(codec, hdr)
    if parameters:
        options[_PARAMETERS[codec]] = ":".join(parameters)
    return options


def hdr_warnings(codec: str, first: SideData, muxer: str = IMAGES) -> list[str]:
    """A warning for each kind of HDR metadata that is lost.

    Args:
        codec: Name of the encoder.
        first: Side data of the input.
        muxer: The output's muxer.
    """
    sentences = []
    in_stream, in_header = codec in _PARAMETERS, handling("HDR10", muxer, codec) == "carried"
    if first.hdr is not None and not in_stream and not in_header:
        sentences.append(
            f"the HDR10 metadata (mastering display, light level) was lost: {codec} does not carry it; "
            "libx265, libx264 and libsvtav1 do"
        )
    if first.has_dynamic_hdr:
        sentences.append(
            "the dynamic HDR metadata (HDR10+ or Dolby Vision) was left out: it describes the pictures as "
            "they were coded before"
        )
    return sentences


def code_fields(context: av.VideoCodecContext, order: FieldOrder) -> None:
    """Sets the encoder to code fields, if it can and the video is interlaced."""
    if order != "progressive" and context.name in CODES_FIELDS:
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me


class FieldFlags:
    """Sets the field order of pictures with a filter, as PyAV has no other way."""

    def __init__(self, order: FieldOrder) -> None:
        self._mode = {"top": "tff", "bottom": "bff", "progressive": ""}[order]
        self._filter_graph: FilterGraph | None = None

    def flag(self, picture: av.VideoFrame) -> av.VideoFrame:
        if not self._mode:
            return picture
        if self._filter_graph is None:
            self._filter_graph = FilterGraph(
                picture.format.name,
                picture.width,
                picture.height,
                Fraction(1, 25),
                ("setfield", f"mode={self._mode}"),
            )
        (out,) = self._filter_graph.filter(picture)
        return out


def _hdr_parameters(codec: str, hdr: Hdr10) -> list[str]:
    parameters = []
    if hdr.primaries is not None and hdr.luminance is not None:
        name = "master-display" if codec == "libx265" else "mastering-display"
        parameters.append(f"{name}={_mastering(codec, hdr.primaries, hdr.luminance)}")
    if hdr.light is not None:
        name = {"libx264": "cll", "libx265": "max-cll", "libsvtav1": "content-light"}[codec]
        parameters.append(f"{name}={hdr.light[0]},{hdr.light[1]}")
    return parameters


def _mastering(codec: str, primaries: tuple[Fraction, ...], luminance: tuple[Fraction, Fraction]) -> str:
    """G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min): integer units for x264 and x265, decimals for SVT-AV1."""

    def written(value: Fraction, unit: int) -> str:
        return f"{float(value):.6f}" if codec == "libsvtav1" else str(round(value * unit))

    red, green, blue, white = (primaries[i : i + 2] for i in (0, 2, 4, 6))
    places = [
        f"{name}({written(x, _PRIMARY_UNIT)},{written(y, _PRIMARY_UNIT)})"
        for name, (x, y) in (("G", green), ("B", blue), ("R", red), ("WP", white))
    ]
    least, greatest = (written(value, _LUMINANCE_UNIT) for value in luminance)
    return "".join(places) + f"L({greatest},{least})"


def metadata_warnings(info: VideoInfo, aspect: Fraction, muxer: str, encoder: str, kind: str) -> list[str]:
    """A warning for each property of the picture that the output does not store.

    Args:
        info: Properties of the input.
        aspect: The output's pixel aspect.
        muxer: The output's muxer.
        encoder: Name of the encoder.
        kind: What to call the output.
    """
    aspect_text = f"the pixel aspect {aspect.numerator}:{aspect.denominator}"
    if muxer in RAW or muxer == IMAGES:
        lost = [aspect_text] if aspect != 1 and encoder not in _PICTURES_WITH_ASPECT else []
        if encoder not in _PICTURES_WITH_COLOUR and not _is_usual(info.colour, info.height):
            tags = info.colour
            lost.append(
                f"the colour (matrix {tags.matrix}, primaries {tags.primaries}, transfer {tags.transfer})"
            )
        # Files of pictures are rotated upright instead.
        lost += _lost_orientation(info) if muxer in RAW else []
        if info.interlaced and muxer != _PIPE_WITH_FIELDS:
            lost.append("the order of fields")
        return (
            [f"{kind} do not store {', '.join(lost)}: pass it as an option to the program that reads them"]
            if lost
            else []
        )
    if aspect == 1 or muxer in ISO_MEDIA or encoder in _CARRIES_ASPECT:
        return []
    return [
        f"{aspect_text} was lost: {encoder} in {kind} does not store it; "
        "libx264, or a name that ends in .mp4 or .mov, does"
    ]


def _lost_orientation(info: VideoInfo) -> list[str]:
    warnings = [f"the rotation by {info.rotation} degrees"] if info.rotation else []
    return [*warnings, "that it is mirrored"] if info.orientation.mirrored else warnings


def _is_usual(colour: ColourTags, height: int) -> bool:
    """Whether players assume these tags if there are none."""
    usual = (_HD_TAGS if height >= HD_LINES else _SD_TAGS) | _UNSTATED
    return (
        colour.matrix in usual
        and colour.primaries in usual | _HD_TAGS
        and colour.transfer in _SD_TAGS | _HD_TAGS | _UNSTATED | {4, 13}
    )
