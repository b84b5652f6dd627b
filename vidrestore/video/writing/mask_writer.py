"""The writer of a mask: one lossless grey plane per frame, with the times of the output."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidrestore.errors import OutputError, UsageError
from vidrestore.settings import TimeRange
from vidrestore.types import ColourTags, PixelFormat, VideoInfo
from vidrestore.video.formats.containers import IMAGES, STDOUT
from vidrestore.video.formats.image_sequence import may_share_file
from vidrestore.video.formats.suffixes import photo_kind
from vidrestore.video.opened_video import OpenedVideo
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing.atomic_output import check_paths
from vidrestore.video.writing.writer import VideoWriter

_MUXERS = {"matroska", "nut", "avi"}
_PICTURES = {"png", "tiff"}


def make_mask_writer(
    path: Path,
    opened: OpenedVideo,
    *,
    info: VideoInfo,
    output: Path,
    pixel_format: PixelFormat,
    colour: ColourTags,
    part: TimeRange,
    overwrite: bool,
) -> VideoWriter:
    """The writer of the mask of `opened` to `path`; the video itself goes to `output`.

    The mask is FFV1 in .mkv, .nut and .avi, or PNG and TIFF pictures.

    Args:
        path: The file of the mask.
        opened: The input.
        info: The properties of the output's frames.
        output: The output of the run.
        pixel_format: The mask's pixel format.
        colour: The mask's colour tags.
        part: The part of the input that is restored.
        overwrite: Whether existing files may be replaced.

    Raises:
        UsageError: The name has another suffix, or the input is a pipe.
        OutputError: The mask cannot be written there, or is another file of the run.
    """
    if STDOUT in (str(opened.info.path), str(path)):
        raise UsageError("--mask needs files as input and output, not pipes; leave it out or name files")
    if may_share_file(path, output):
        raise OutputError(f"{path} is the name of both the mask and the video; choose another name for one")
    muxer = check_paths(opened.info.path, path, overwrite)
    kind = photo_kind(path) if muxer == IMAGES else None
    if muxer not in _MUXERS and kind not in _PICTURES:
        raise UsageError(
            f"a mask is a .mkv, .nut or .avi file, or pictures such as mask/%05d.png, not {path}"
        )
    info = replace(info, pixel_format=pixel_format, colour=colour, is_opaque=True)
    # Of the side data, only the orientation applies to the mask.
    side_data = SideData(matrix=opened.side_data.matrix, pictures=opened.side_data.pictures)
    return VideoWriter(
        path,
        info,
        codec=kind or "ffv1",
        muxer=muxer,
        source=opened.input,
        side_data=side_data,
        overwrite=overwrite,
        is_alone=True,
        **part,
    )
