"""Reads photos that FFmpeg does not read completely: HEIC, AVIF in pieces, grey with alpha."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import InputError, ReadError
from vidrestore.types import ColourTags, Frame, Plane, VideoInfo
from vidrestore.video.formats.image_sequence import parse_pattern, refuse_other_size
from vidrestore.video.formats.pixel_formats import describe_format
from vidrestore.video.formats.suffixes import photo_kind
from vidrestore.video.formats.time_range import TimeRange
from vidrestore.video.photos import animated_webp, jpeg
from vidrestore.video.photos.animated_webp import is_animated_webp
from vidrestore.video.photos.photo import Photo, open_photo, opened
from vidrestore.video.photos.pillow_errors import PILLOW_ERRORS, damaged_photo
from vidrestore.video.photos.recognise import is_photo
from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.input import Input, too_large_message

_CENTRE = 2
"""AVChromaLocation's code."""
_RATE = Fraction(25)
_CODECS = {"heif": "hevc", "avif": "av1", "jpeg": "mjpeg"}
_RGB = ColourTags(matrix=0, full_range=True)
Samples = NDArray[Any]


def photos_of(input: Input) -> list[Path]:
    """The files of an input of photos; empty for other inputs."""
    if input.pipe is not None or input.format not in (None, "image2"):
        return []
    if input.pictures is None:
        return [input.path] if is_photo(input.path, input.head) else []
    if photo_kind(input.path) is None:
        return []
    pattern = parse_pattern(input.path)
    return [pattern.path(number) for number in input.pictures]


def first_photo(input: Input) -> Photo | None:
    """The first photo.

    Raises:
        InputError: It is not a supported photo.
        ReadError: The system cannot read it.
    """
    paths = photos_of(input)
    photo = open_photo(paths[0]) if paths and paths[0].is_file() else None
    if photo is not None:
        _refuse_too_large(photo, input.max_pixels)
        if photo.kind == "avif" and photo.frames > 1:
            raise InputError(
                f"{photo.path} is an animation of {photo.frames} pictures, and such AVIF is not read here; "
                "convert it to an animated PNG or a video first"
            )
    return photo


def is_cut_short(path: Path) -> bool:
    """Whether the photo is a JPEG that ends too soon."""
    try:
        return jpeg.is_cut_short(path.read_bytes())
    except OSError as error:
        raise ReadError.of(path, error) from error


def _refuse_too_large(photo: Photo, max_pixels: int) -> None:
    if photo.size[0] * photo.size[1] > max_pixels:
        raise InputError(too_large_message(photo.path, *photo.size, max_pixels))


def is_still(input: Input, photo: Photo | None) -> bool:
    """Whether it is a file with one photo; FFmpeg may take data after the photo for further pictures."""
    return input.pictures is None and photo is not None and photo.frames == 1


def is_read_here(photo: Photo | None) -> bool:
    """Whether to use `read` for it instead of FFmpeg."""
    if photo is None or photo.frames > 1:
        return is_animated_webp(photo)
    pieces = photo.kind == "avif" and _streams(photo.path) != 1
    return photo.kind == "heif" or pieces or photo.grey_with_alpha or photo.palette_with_alpha


def describe(input: Input, photo: Photo) -> VideoInfo:
    """The properties of the frames that `read` yields.

    Raises:
        InputError: The photo is not supported.
    """
    if is_animated_webp(photo):
        return animated_webp.describe(input, photo)
    samples, depth, colour = _load(photo)
    rate = Fraction(input.options.get("framerate", _RATE))
    count = len(photos_of(input))
    return VideoInfo(
        path=input.path,
        width=samples.shape[1],
        height=samples.shape[0],
        frame_rate=rate,
        time_base=1 / rate,
        pixel_aspect=Fraction(1),
        frame_count=count,
        duration=count / rate,
        orientation=photo.orientation,
        pixel_format=describe_format(_format_name(samples.shape[2], depth)),
        colour=colour,
        field_order="progressive",
        codec=_CODECS.get(photo.kind, photo.kind),
        bit_rate=None,
        other_streams=(),
        is_counted=True,
    )


def complete(info: VideoInfo, photo: Photo | None) -> VideoInfo:
    """FFmpeg's properties of a photo, with the orientation from EXIF."""
    if photo is None:
        return info
    # Unless stated, chroma samples of photos are centred, unlike those of videos.
    siting = info.colour.siting or (_CENTRE if photo.kind in ("jpeg", "webp", "avif") else 0)
    return replace(info, orientation=photo.orientation, colour=replace(info.colour, siting=siting))


def read(
    input: Input, info: VideoInfo, *, start: float | None = None, end: float | None = None
) -> Iterator[Frame]:
    """The photos as frames; pts counts them from 0.

    Args:
        input: The photo or sequence of photos.
        info: Its properties, from `describe`.
        start: First time to include [s].
        end: First time to exclude [s].

    Raises:
        InputError: A photo differs from the first, or cannot be decoded.
        ReadError: The system cannot read it.
    """
    if info.codec == "webp" and input.pictures is None and is_animated_webp(first_photo(input)):
        yield from animated_webp.read(input, info, start=start, end=end)
        return
    time_range = TimeRange(start=start, end=end)
    paths = photos_of(input)
    numbers = [number for number in range(len(paths)) if time_range.contains(number, info.time_base)]
    for index, number in enumerate(numbers):
        photo = open_photo(paths[number])
        if photo is None:
            raise InputError(f"{paths[number]} is not a picture that can be read; check it in a viewer")
        _refuse_too_large(photo, input.max_pixels)
        samples, depth, colour = _load(photo)
        refuse_other_size(paths[number], (samples.shape[1], samples.shape[0]), (info.width, info.height))
        form = describe_format(_format_name(samples.shape[2], depth))
        if form != info.pixel_format:
            raise InputError(
                f"{paths[number]} has other channels than the first picture; convert all to the same format"
            )
        yield Frame(
            index=index,
            pts=number,
            duration=1,
            time_base=info.time_base,
            planes=_planes(samples),
            format=form,
            colour=colour,
            orientation=photo.orientation,
        )


def alpha_of(photo: Photo) -> Samples:
    """(H, W) alpha of a grey picture, which frames do not hold."""
    return _grey_and_alpha(photo)[1]


def _load(photo: Photo) -> tuple[Samples, int, ColourTags]:
    """(H, W, C) grey, RGB or RGBA; bits per sample; colour tags."""
    try:
        if photo.kind == "heif":
            return _load_heif(photo.path)
        if photo.grey_with_alpha:
            grey = _grey_and_alpha(photo)[0]
            return grey[..., None], grey.itemsize * 8, replace(_RGB, matrix=2)
        if photo.kind == "avif" and _bit_depth(photo.path) > 8:
            raise InputError(
                f"{photo.path} consists of several tiles with more than 8 bits per sample, which cannot be "
                "joined here; convert it to a 16-bit PNG first"
            )
        with opened(photo.path) as picture:
            mode = "RGBA" if picture.has_transparency_data else "L" if picture.mode == "L" else "RGB"
            samples = np.asarray(picture.convert(mode))
    except PILLOW_ERRORS as error:
        raise damaged_photo(photo.path, error) from error
    return samples.reshape(*samples.shape[:2], -1), 8, _RGB


def _load_heif(path: Path) -> tuple[Samples, int, ColourTags]:
    import pillow_heif

    picture = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
    samples = np.asarray(picture)
    samples = samples.reshape(*samples.shape[:2], -1)
    depth = int(picture.info.get("bit_depth", 8))
    if samples.dtype == np.uint16:
        samples = samples >> (16 - depth)
    nclx = picture.info.get("nclx_profile")
    if not nclx or picture.info.get("icc_profile"):
        return samples, depth, _RGB
    return samples, depth, replace(
        _RGB, primaries=int(nclx["color_primaries"]), transfer=int(nclx["transfer_characteristics"])
    )  # fmt: skip


def _grey_and_alpha(photo: Photo) -> tuple[Samples, Samples]:
    import cv2

    with opened(photo.path) as picture:
        if picture.mode in ("LA", "La", "L", "1"):
            both = np.asarray(picture.convert("LA"))
            return both[..., 0], both[..., 1]
    # Pillow does not support 16 bits here; OpenCV repeats grey in three channels.
    deep: Any = cv2.imread(str(photo.path), cv2.IMREAD_UNCHANGED)
    if deep is None or deep.ndim != 3 or deep.shape[2] != 4:
        raise InputError(f"{photo.path} is damaged or cut short; copy or export it again")
    return deep[..., 0], deep[..., 3]


def _format_name(channels: int, depth: int) -> str:
    name = {1: "gray", 3: "gbrp", 4: "gbrap"}[channels]
    return name if depth == 8 else f"{name}{depth}le"


def _planes(samples: Samples) -> tuple[Plane, ...]:
    order = (0,) if samples.shape[2] == 1 else (1, 2, 0, *range(3, samples.shape[2]))
    planes = tuple(np.ascontiguousarray(samples[..., channel]) for channel in order)
    for plane in planes:
        plane.flags.writeable = False
    return planes


def _streams(path: Path) -> int:
    try:
        with demuxer.open_container(path) as container:
            return len(container.streams.video)
    except InputError:
        return 0


def _bit_depth(path: Path) -> int:
    try:
        with demuxer.open_container(path) as container:
            name = stream_info.video_stream(container, path).codec_context.pix_fmt
    except InputError:
        return 8
    return describe_format(name).bit_depth if name else 8
