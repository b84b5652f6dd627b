"""Chooses the writer for an output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidrestore.errors import UsageError
from vidrestore.types import VideoInfo
from vidrestore.video.exr.writer import ExrWriter
from vidrestore.video.formats.containers import IMAGES
from vidrestore.video.formats.image_sequence import is_pattern
from vidrestore.video.formats.suffixes import photo_kind
from vidrestore.video.photos.reading import photos_of
from vidrestore.video.photos.recognise import kind_by_content
from vidrestore.video.photos.writer import PhotoWriter
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing.atomic_output import check_paths, single_picture_message
from vidrestore.video.writing.codec_choice import MATCH
from vidrestore.video.writing.encoders import encoder_name
from vidrestore.video.writing.writer import VideoWriter

Writer = VideoWriter | ExrWriter | PhotoWriter

_BY_FFMPEG = {"png", "tiff"}
"""Kinds of photos that FFmpeg writes for frames of videos."""
_ENCODERS = {"jpeg": "mjpeg", "png": "png", "tiff": "tiff", "webp": "libwebp", "heif": "heif", "avif": "avif"}
"""Values of `--codec` that are accepted for photos, although their suffix decides."""


def make_writer(
    output: Path,
    info: VideoInfo,
    *,
    source: Input,
    side_data: SideData | None = None,
    container: str | None = None,
    muxer: str | None = None,
    quality: int | None = None,
    **how: Any,
) -> Writer:
    """The writer of `output`; the arguments are those of `VideoWriter`.

    Args:
        output: The output.
        info: Properties of the input.
        source: The input.
        side_data: Its side data, if known.
        container: Name of the container; None: by the suffix of `output`.
        muxer: The output's muxer, if known.
        quality: Quality of photos, 1 to 100; None: by the kind of photo.
        how: The other arguments of `VideoWriter`.

    Raises:
        OutputError: The output cannot be written.
        UsageError: An option does not fit the output.
    """
    overwrite = how.get("overwrite", False)
    muxer = muxer or check_paths(info.path, output, overwrite, container)
    side_data = side_data or look_at(source).side_data
    kind = photo_kind(output) if muxer == IMAGES else None
    if muxer == IMAGES and not is_pattern(output) and _has_more_than_one(info, side_data, how):
        raise UsageError(single_picture_message(output, info.path))
    if muxer != IMAGES:
        _check_source_of_video(info, source)
    first = source.first_number(info.frame_rate, how.get("start"))
    if output.suffix.lower() == ".exr" and muxer == IMAGES:
        _refuse_video_options(output, "exr", how)
        return ExrWriter(output, info, source=source, side_data=side_data, overwrite=overwrite, first=first)
    if kind is not None and (kind not in _BY_FFMPEG or photos_of(source)):
        _refuse_video_options(output, _ENCODERS[kind], how)
        return PhotoWriter(
            output,
            info,
            source=source,
            side_data=side_data,
            quality=quality,
            overwrite=overwrite,
            first=first,
        )
    if quality is not None:
        advice = "use --crf" if muxer != IMAGES else "leave it out"
        raise UsageError(f"--quality is for JPEG, WebP, HEIC and AVIF pictures, not for {output}; {advice}")
    return VideoWriter(
        output, info, source=source, side_data=side_data, container=container, muxer=muxer, **how
    )


def _has_more_than_one(info: VideoInfo, side_data: SideData, how: dict[str, Any]) -> bool:
    """Whether the output is certain to have more than one picture."""
    if info.is_counted:
        return (info.frame_count or 0) > 1
    is_whole = how.get("start") is None and how.get("end") is None
    return is_whole and side_data.pictures > 1


def _check_source_of_video(info: VideoInfo, source: Input) -> None:
    """Raises UsageError if the input's pictures cannot become a video."""
    if not source.has_frame_rate:
        raise UsageError(
            f"{info.path} does not say how many pictures are shown a second; add --fps, such as 24"
        )
    if {photo_kind(source.path), kind_by_content(source.path, source.head)} & {"heif", "avif"}:
        raise UsageError(f"{info.path} is a photo; let the output's name end in .jpg, .png or .heic")


def _refuse_video_options(output: Path, encoder: str, how: dict[str, Any]) -> None:
    """Raises UsageError if an option is not supported for pictures."""
    kind = output.suffix
    if how["codec"] != MATCH and how["codec"].lower() != encoder and encoder_name(how["codec"]) != encoder:
        raise UsageError(f"pictures in {kind} are encoded by {encoder}; leave --codec out")
    if how.get("crf") is not None:
        advice = "leave it out" if encoder in ("exr", "png", "tiff") else "use --quality, 1 to 100"
        raise UsageError(f"--crf is for videos, not for {kind} pictures; {advice}")
    if how.get("preset") is not None:
        raise UsageError(f"--preset is for videos, not for {kind} pictures; leave it out")
