"""What a container does not say of the video in it, one sentence each."""

from __future__ import annotations

from fractions import Fraction

from vidrestore.types import ColourTags, VideoInfo
from vidrestore.video.container import IMAGES, ISO_MEDIA, RAW

_CARRIES_ASPECT = {"libx264", "libx264rgb", "libx265", "h264_nvenc", "hevc_nvenc", "mpeg4", "mpeg2video"}
"""Encoders that write the pixel aspect into the pictures; PyAV itself writes it into MP4's family only."""
_FIELDS, _SAYS_FIELDS = "the order of fields", "yuv4mpegpipe"
_HD_LINES = 720
_SD_TAGS, _HD_TAGS, _UNSAID = {5, 6}, {1}, {0, 2}


def unstated(info: VideoInfo, aspect: Fraction, muxer: str, encoder: str, kind: str) -> list[str]:
    """`aspect`: of the output's pixels; `kind`: what to call the output."""
    if muxer in RAW:
        return _in_a_pipe(info, aspect, muxer, kind)
    lost = []
    if info.interlaced and muxer == IMAGES:
        lost.append(f"{kind} do not say {_FIELDS}: tell the program that reads them")
    if aspect == 1 or muxer in ISO_MEDIA or encoder in _CARRIES_ASPECT:
        return lost
    advice = "" if muxer == IMAGES else "; libx264, or a name that ends in .mp4 or .mov, does"
    said = f"{aspect.numerator}:{aspect.denominator}"
    return [*lost, f"the pixel aspect {said} was lost: {encoder} in {kind} does not say it{advice}"]


def _in_a_pipe(info: VideoInfo, aspect: Fraction, muxer: str, kind: str) -> list[str]:
    lost = []
    if aspect != 1:
        lost.append(f"the pixel aspect {aspect.numerator}:{aspect.denominator}")
    if not _is_usual(info.colour, info.height):
        tags = info.colour
        lost.append(
            f"the colour (matrix {tags.matrix}, primaries {tags.primaries}, transfer {tags.transfer})"
        )
    if info.rotation:
        lost.append(f"the rotation by {info.rotation} degrees")
    if info.orientation.mirrored:
        lost.append("that it is mirrored")
    if info.interlaced and muxer != _SAYS_FIELDS:
        lost.append(_FIELDS)
    return [f"{kind} do not say {', '.join(lost)}: tell the program that reads them"] if lost else []


def _is_usual(colour: ColourTags, height: int) -> bool:
    """Whether players assume these tags where there are none."""
    usual = (_HD_TAGS if height >= _HD_LINES else _SD_TAGS) | _UNSAID
    return (
        colour.matrix in usual
        and colour.primaries in usual | _HD_TAGS
        and colour.transfer in _SD_TAGS | _HD_TAGS | _UNSAID | {13}
    )
