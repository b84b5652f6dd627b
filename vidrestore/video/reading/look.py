"""One look at a video, in one opening: what the container says, what its first pictures carry and show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vidrestore.types import VideoInfo
from vidrestore.video.exr import exr_file
from vidrestore.video.interlacing.field_meter import WINDOW, FieldMeasure, FieldMeter
from vidrestore.video.photos import reading as photos
from vidrestore.video.reading import demuxer, side_data
from vidrestore.video.reading.beginning import decode_from_here
from vidrestore.video.reading.input import Input, as_input
from vidrestore.video.reading.pieces_found import PieceFinder
from vidrestore.video.reading.probe import check_first_picture, describe
from vidrestore.video.reading.side_data import SideData


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of a video."""

    info: VideoInfo
    side_data: SideData = field(default_factory=SideData)
    fields: FieldMeasure = field(default_factory=FieldMeasure)
    """Nothing, where it was not looked for."""


def look_at(
    video_input: Path | Input,
    *,
    measures_fields: bool = False,
    on_info: Callable[[VideoInfo], None] | None = None,
) -> Look:
    """What the video is and holds. It is opened once, and decoded as far as is needed.

    Args:
        video_input: What to look at. A pipe is read as far as its first picture.
        measures_fields: Whether to look for combs, which takes more pictures.
        on_info: Called as soon as the first picture says what the video is, before further ones are read.

    Raises:
        InputError: As `probe`.
    """
    input = as_input(video_input)
    photo = photos.first_photo(input)
    if photo is not None and photos.is_read_here(photo):
        info = photos.describe(input, photo)
        _call(on_info, info)
        return Look(info=info)
    with demuxer.open_container(input) as container:
        stream = demuxer.video_stream(container, input)
        pieces = PieceFinder(container, stream)
        pictures = decode_from_here(
            container, stream, on_packet=pieces.add_packet, uses_threads=input.pipe is None
        )
        picture = check_first_picture(input, next(pictures, None))
        beside = side_data.entries(picture)
        pieces.add_picture(picture, beside)
        info = photos.complete(describe(input, container, stream, picture, beside), photo)
        held = replace(
            SideData.of(beside),
            has_alpha_beside=demuxer.has_alpha_beside(stream),
            other_streams=tuple(
                demuxer.stream_name(other) for other in container.streams if other.index != stream.index
            ),
        )
        if input.is_exr:
            stored = picture.format.name
            del picture, pictures  # OpenCV is about to read it again, and a large one fills the memory
            info = exr_file.describe(input, info, stored)
        _call(on_info, info)
        if input.is_exr or input.pipe is not None:
            return Look(info=info, side_data=replace(held, pieces=pieces.found))
        meter = FieldMeter(info) if measures_fields else None
        count = _look_further(container, stream, chain([picture], pictures), info, pieces, meter)
        fields = FieldMeasure() if meter is None else meter.measure
        return Look(info=info, side_data=replace(held, pieces=pieces.found, pictures=count), fields=fields)


def _call(on_info: Callable[[VideoInfo], None] | None, info: VideoInfo) -> None:
    if on_info is not None:
        on_info(info)


def _look_further(
    container: InputContainer,
    stream: VideoStream,
    pictures: Iterator[av.VideoFrame],
    info: VideoInfo,
    pieces: PieceFinder,
    meter: FieldMeter | None,
) -> int:
    """Looks at the pictures at the beginning and, of longer videos, after one and two thirds.

    Returns how many there were at the beginning.
    """
    starts, count = _further_windows(info), 0
    for number, picture in enumerate(islice(pictures, WINDOW if starts else 3 * WINDOW)):
        count = number + 1
        if number > 0:
            pieces.add_picture(picture)
        if meter is not None:
            meter.add(picture)
        if not pieces.needs_pictures and (meter is None or meter.is_clear):
            break
    if meter is None:
        return count
    meter.end_window()
    origin = stream.start_time or 0
    for start in starts:
        if meter.is_clear:
            break
        try:
            demuxer.seek(container, origin + round(start / demuxer.time_base(stream)), stream)
        except av.FFmpegError:
            break  # without an index only the beginning is looked at
        for picture in islice(decode_from_here(container, stream), WINDOW):
            meter.add(picture)
        meter.end_window()
    return count


def _further_windows(info: VideoInfo) -> list[Fraction]:
    """Seconds after the beginning."""
    if info.duration is None or info.duration * info.frame_rate <= 6 * WINDOW:
        return []
    return [info.duration / 3, info.duration * 2 / 3]
