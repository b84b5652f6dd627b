"""What a container does not say of the video in it, in one sentence."""

from __future__ import annotations

from fractions import Fraction

from vidrestore.types import ColourTags, VideoInfo
from vidrestore.video.container import IMAGES, ISO_MEDIA, RAW

_CARRIES_ASPECT = {"libx264", "libx264rgb", "libx265", "h264_nvenc", "hevc_nvenc", "mpeg4", "mpeg2video"}
"""Encoders that write the pixel aspect into the pictures; PyAV itself writes it into MP4's family only."""
_PICTURES_WITH_ASPECT = {"png", "tiff", "dpx", "mjpeg"}
_PICTURES_WITH_COLOUR = {"png", "exr"}
"""PNG says which it is; EXR is written in the one that it always has."""
_PIPE_WITH_FIELDS = "yuv4mpegpipe"
_HD_LINES = 720
_SD_TAGS, _HD_TAGS, _UNSAID = {5, 6}, {1}, {0, 2}


def unstated(info: VideoInfo, aspect: Fraction, muxer: str, encoder: str, kind: str) -> list[str]:
    """`aspect`: of the output's pixels; `kind`: what to call the output."""
    said = f"the pixel aspect {aspect.numerator}:{aspect.denominator}"
    if muxer in RAW or muxer == IMAGES:
        lost = [said] if aspect != 1 and encoder not in _PICTURES_WITH_ASPECT else []
        if encoder not in _PICTURES_WITH_COLOUR and not _is_usual(info.colour, info.height):
            tags = info.colour
            lost.append(
                f"the colour (matrix {tags.matrix}, primaries {tags.primaries}, transfer {tags.transfer})"
            )
        # Pictures are turned themselves.
        lost += _turns(info) if muxer in RAW else []
        if info.interlaced and muxer != _PIPE_WITH_FIELDS:
            lost.append("the order of fields")
        return [f"{kind} do not say {', '.join(lost)}: tell the program that reads them"] if lost else []
    if aspect == 1 or muxer in ISO_MEDIA or encoder in _CARRIES_ASPECT:
        return []
    return [
        f"{said} was lost: {encoder} in {kind} does not say it; "
        "libx264, or a name that ends in .mp4 or .mov, does"
    ]


def _turns(info: VideoInfo) -> list[str]:
    turned = [f"the rotation by {info.rotation} degrees"] if info.rotation else []
    return [*turned, "that it is mirrored"] if info.orientation.mirrored else turned


def _is_usual(colour: ColourTags, height: int) -> bool:
    """Whether players assume these tags where there are none."""
    usual = (_HD_TAGS if height >= _HD_LINES else _SD_TAGS) | _UNSAID
    return (
        colour.matrix in usual
        and colour.primaries in usual | _HD_TAGS
        and colour.transfer in _SD_TAGS | _HD_TAGS | _UNSAID | {4, 13}
    )
