"""Reads the properties of a video from its container and its first frame."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidrestore.colour.matrices import unsupported_name
from vidrestore.errors import InputError
from vidrestore.types import ColourTags, FieldOrder, VideoInfo
from vidrestore.video.exr import exr_file
from vidrestore.video.ffmpeg_log import capture_log
from vidrestore.video.formats import pixel_formats
from vidrestore.video.formats.image_sequence import parse_pattern
from vidrestore.video.photos import reading as photos
from vidrestore.video.reading import demuxer, side_data, stream_info
from vidrestore.video.reading.input import Input, as_input, too_large_message
from vidrestore.video.reading.side_data import siting_and_field_order

# AVFieldOrder: which field is shown first
_FIELD_ORDERS: dict[int, FieldOrder] = {2: "top", 3: "bottom", 4: "bottom", 5: "top"}
_FULL, _LIMITED = 2, 1
_RGB, _UNSTATED = 0, 2
_ANIMATIONS = {"gif", "apng"}
"""Their transparency may begin after the first picture, so that all are decoded."""
_DURATION_TOLERANCE = Fraction(1, 2)
"""Tolerance [s]: differences between ends of streams, and delay of decoders."""
_CLOCK_TIME = re.compile(r"([0-9]{1,5}):([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,12})?)")
_COUNT = re.compile(r"[0-9]{1,12}")
_MOST_TIMES_AS_MANY = 4
"""A tag with more frames than this multiple of rate times duration is ignored."""
_LONGEST_BELIEVED = 24 * 3600
"""Durations up to this [s] are believed whatever the file's size."""
_FEWEST_BYTES_A_SECOND = 1000
_LEAST_FRAME_BYTES = 8
"""Of a frame in a container, such as AVI's empty chunk. A count of more frames is damaged."""


def probe(video_input: Path | Input) -> VideoInfo:
    """The properties of a video, from its container and its first frame, which is decoded.

    Args:
        video_input: A path or an input.

    Returns:
        Size, frame rate, pixel format, colour, orientation, and what else is needed to process it.

    Raises:
        InputError: There is no such file, it contains no video, or no frame can be decoded.
    """
    input = as_input(video_input)
    photo = photos.first_photo(input)
    if photo is not None and photos.is_read_here(photo):
        return photos.describe(input, photo)
    with demuxer.open_container(input) as container:
        stream = stream_info.video_stream(container, input)
        picture = check_first_picture(input, stream_info.first_picture(container, stream))
        info = describe(input, container, stream, picture, side_data.entries(picture))
        stored = picture.format.name
        del picture  # OpenCV will read it again, and two large ones may not fit into memory
        return exr_file.describe(input, info, stored) if input.is_exr else photos.complete(info, photo)


def check_first_picture(input: Input, picture: av.VideoFrame | None) -> av.VideoFrame:
    """The picture.

    Raises:
        InputError: There is none, or it is too large.
    """
    if picture is None:
        raise InputError(_nothing_decoded_message(input))
    if picture.width * picture.height > input.max_pixels:
        raise InputError(_too_large_message(input, picture.width, picture.height))
    return picture


def describe(
    input: Input,
    container: InputContainer,
    stream: VideoStream,
    picture: av.VideoFrame,
    entries: side_data.Entries,
) -> VideoInfo:
    """The properties according to the container, its first picture, and that picture's side data.

    Args:
        input: The input.
        container: The open container.
        stream: Its video stream.
        picture: Its first picture.
        entries: The side data of that picture.

    Raises:
        InputError: The colours are not supported, or the stream is a tile of a photo.
    """
    if stream.disposition & Disposition.dependent:
        raise InputError(f"{input.path} is a photo in tiles; rename it so that it ends in .heic or .avif")
    rate = _frame_rate(stream)
    duration = _plausible(_duration(container, stream), container)
    if input.clock is not None:
        duration = _nearer(duration, input.clock.duration + 1 / rate)
    codec = stream.codec_context
    siting, flagged = siting_and_field_order(picture)
    if flagged == "progressive":
        flagged = _FIELD_ORDERS.get(codec.field_order, flagged)
    info = VideoInfo(
        path=input.path,
        width=picture.width,
        height=picture.height,
        frame_rate=rate,
        time_base=stream_info.time_base(stream),
        pixel_aspect=_pixel_aspect(stream),
        frame_count=_frame_count(stream, rate, duration),
        is_counted=bool(_stated_count(stream, rate, duration)),
        duration=duration,
        orientation=side_data.orientation(side_data.display_matrix(entries)),
        pixel_format=pixel_formats.describe_format(picture.format.name),
        is_opaque=_is_opaque(picture) and not _is_transparent_later(input, stream),
        colour=colour_tags(picture, siting),
        field_order=flagged,
        codec=codec.codec.canonical_name or codec.name,
        profile=codec.profile,
        bit_rate=stream.bit_rate or container.bit_rate or None,
        notes=_notes(input),
        other_streams=tuple(other.type for other in container.streams if other.index != stream.index),
    )
    _refuse_unsupported_matrix(info)
    return info


def _is_opaque(picture: av.VideoFrame) -> bool:
    form = pixel_formats.describe_format(picture.format.name)
    return not form.has_alpha or int(pixel_formats.unpack(picture)[-1].min()) == (1 << form.bit_depth) - 1


def _is_transparent_later(input: Input, stream: VideoStream) -> bool:
    """Whether a GIF or APNG has transparent pixels in any picture that can be decoded; False for a pipe."""
    codec = stream.codec_context
    if codec.name not in _ANIMATIONS or input.pipe is not None or codec.pix_fmt is None:
        return False
    if not pixel_formats.describe_format(codec.pix_fmt).has_alpha:
        return False
    with demuxer.open_container(input) as container:
        try:
            pictures = container.decode(stream_info.video_stream(container, input))
            return any(not _is_opaque(picture) for picture in pictures)
        except av.FFmpegError:  # reading it will report the damage
            return False


def _refuse_unsupported_matrix(info: VideoInfo) -> None:
    name = unsupported_name(info.colour.matrix) if info.pixel_format.family == "yuv" else None
    if name is not None:
        raise InputError(
            f"the colours of {info.path} are {name} (matrix {info.colour.matrix} of H.273), which is not "
            "supported; convert it first, such as by ffmpeg -vf zscale=matrix=2020_ncl"
        )


def _nothing_decoded_message(input: Input) -> str:
    log = capture_log(lambda: _decode_one(input), av.logging.ERROR)
    if (size := re.search(r"picture size (\d+)x(\d+) exceeds", log, re.IGNORECASE)) is not None:
        return _too_large_message(input, int(size[1]), int(size[2]))
    advice = "copy or export it again"
    if input.format == "rawvideo":
        frame = f"{input.options['video_size']} {input.options['pixel_format']}"
        return (
            f"{input.path} is shorter than one frame of {frame}; check --size and --pixel-format, and "
            "that it is not empty"
        )
    if input.pipe is not None:
        advice = "give the file's name: MP4 with its index at the end cannot be read through a pipe"
    return f"no frame of {input.path} can be decoded; {advice}"


def _notes(input: Input) -> tuple[str, ...]:
    if input.clock is None or input.clock.is_steady:
        return ()
    times = [f"{float(time - input.clock.start):.1f} s" for time in input.clock.breaks]
    places = times[0] if len(times) == 1 else f"{times[0]} and {len(times) - 1} more times"
    return (f"the clock of {input.path.name} restarts after {places}: its parts were joined without gaps",)


def _too_large_message(input: Input, width: int, height: int) -> str:
    path = input.path
    if input.pictures is not None:
        path = parse_pattern(path).path(input.pictures[0])
    return too_large_message(path, width, height, input.max_pixels)


def _decode_one(input: Input) -> None:
    with demuxer.open_container(input) as container:
        stream_info.first_picture(container, stream_info.video_stream(container, input))


def colour_tags(picture: av.VideoFrame, siting: int) -> ColourTags:
    """The picture's colour tags; if its range is not tagged, it follows from the format."""
    full = picture.color_range == _FULL
    if picture.color_range != _LIMITED or picture.format.name.startswith("yuvj"):
        full = full or pixel_formats.is_full_range(picture.format.name)
    matrix = int(picture.colorspace)
    if matrix == _UNSTATED and pixel_formats.describe_format(picture.format.name).family == "rgb":
        matrix = _RGB
    return ColourTags(
        matrix=matrix,
        primaries=int(picture.color_primaries),
        transfer=int(picture.color_trc),
        full_range=full,
        siting=siting,
    )


def _frame_rate(stream: VideoStream) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate:
            return Fraction(rate)
    return Fraction(25)


def _duration(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration:
        return stream.duration * stream_info.time_base(stream)
    for key, text in stream.metadata.items():
        # Matroska states it in a tag; its container's duration is that of the longest stream.
        if key.startswith("DURATION") and (match := _CLOCK_TIME.fullmatch(text)):
            hours, minutes, seconds = match.groups()
            return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    return Fraction(container.duration, av.time_base) if container.duration else None


def _plausible(duration: Fraction | None, container: InputContainer) -> Fraction | None:
    """The duration, unless the file is far too small for it: then one wrong timestamp makes it years."""
    if duration is None or duration <= _LONGEST_BELIEVED or container.size <= 0:
        return duration
    return duration if container.size / duration >= _FEWEST_BYTES_A_SECOND else None


def _nearer(stated: Fraction | None, seen: Fraction) -> Fraction:
    """The stated duration, if it agrees with the rest of the file."""
    return stated if stated is not None and abs(stated - seen) <= _DURATION_TOLERANCE else seen


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio
    return Fraction(aspect) if aspect else Fraction(1)


def _frame_count(stream: VideoStream, rate: Fraction, duration: Fraction | None) -> int | None:
    stated = _stated_count(stream, rate, duration)
    if stated:
        return stated
    return round(duration * rate) or None if duration is not None else None


def _stated_count(stream: VideoStream, rate: Fraction, duration: Fraction | None) -> int:
    if stream.frames:
        # Edit lists cut frames; AVI counts the empty chunks that prolong a frame, but
        # does not list them. A damaged file has no list of frames.
        listed = len(stream.index_entries)
        counted = listed if stream.frames / 2 < listed < stream.frames else stream.frames
        counted -= sum(entry.is_discard for entry in stream.index_entries)
        container: Any = stream.container  # an input's, contrary to its type stub
        size = container.size
        return counted if size <= 0 or counted * _LEAST_FRAME_BYTES <= size else 0
    for key, text in stream.metadata.items():
        if key.startswith("NUMBER_OF_FRAMES") and _COUNT.fullmatch(text):
            count = int(text)
            if duration is None or count <= _MOST_TIMES_AS_MANY * max(duration * rate, Fraction(1)):
                return count
    return 0
