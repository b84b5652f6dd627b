"""Decides which videos can be encoded in segments, by their input, container and encoder."""

from __future__ import annotations

from pathlib import Path

from vidrestore.video.formats.containers import IMAGES, STDOUT
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing.video_encoder import TIMELESS

JOINABLE = frozenset([
    "libx264", "libx264rgb", "libx265", "libsvtav1", "libvpx-vp9", "h264_nvenc", "hevc_nvenc", "av1_nvenc",
    "prores", "prores_ks", "prores_aw", "dnxhd", "ffv1", "mjpeg", "mpeg2video", "mpeg4",
    "huffyuv", "ffvhuff", "utvideo", "magicyuv", "rawvideo", "v210",
])  # fmt: skip
"""Encoders whose streams start with a key frame, and whose file header does not depend on the pictures."""


def why_not_segmented(video_input: Input, side_data: SideData, output: Path, muxer: str) -> str | None:
    """The reason why a video cannot be restored in segments, as the end of a sentence; None: it can.

    Args:
        video_input: The input.
        side_data: Its side data.
        output: The output.
        muxer: The output's muxer.
    """
    if video_input.pipe is not None:
        return "a pipe can be read only once"
    if video_input.is_picture:
        return "the input is pictures"
    if str(output) == STDOUT:
        return "a pipe can be written only once"
    if muxer == IMAGES:
        return "the output is pictures"
    if muxer in TIMELESS:
        return f"{muxer} streams have no timestamps"
    return "the transparency is stored in separate packets" if side_data.has_separate_alpha else None


def why_not_joinable(codec: str) -> str | None:
    """As `why_not_segmented`, for the encoder only."""
    return None if codec in JOINABLE else f"it is not known whether streams of {codec} can be joined"
