"""Examines a video in one opening: the container, and the side data and content of its first pictures."""

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
from vidrestore.video.reading import demuxer, side_data, stream_info
from vidrestore.video.reading.beginning import decode_from_here
from vidrestore.video.reading.decoder import has_separate_alpha
from vidrestore.video.reading.input import Input, as_input
from vidrestore.video.reading.pieces_found import PieceFinder
from vidrestore.video.reading.probe import check_first_picture, describe
from vidrestore.video.reading.side_data import SideData


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The result of examining a video."""

    info: VideoInfo
    side_data: SideData = field(default_factory=SideData)
    fields: FieldMeasure = field(default_factory=FieldMeasure)
    """The default, if fields were not measured."""


def look_at(
    video_input: Path | Input,
    *,
    measures_fields: bool = False,
    on_info: Callable[[VideoInfo], None] | None = None,
) -> Look:
    """The properties and contents of a video. It is opened once, and only the needed pictures are decoded.

    Args:
        video_input: The video. A pipe is read only to its first picture.
        measures_fields: Whether to measure combing, which needs more pictures.
        on_info: Called as soon as the properties are known, before more pictures are decoded.

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
        stream = stream_info.video_stream(container, input)
        pieces = PieceFinder(container, stream)
        pictures = decode_from_here(
            container, stream, on_packet=pieces.add_packet, uses_threads=input.pipe is None
        )
        picture = check_first_picture(input, next(pictures, None))
        entries = side_data.entries(picture)
        pieces.add_picture(picture, entries)
        info = photos.complete(describe(input, container, stream, picture, entries), photo)
        held = replace(
            SideData.of(entries),
            has_separate_alpha=has_separate_alpha(stream),
            other_streams=tuple(
                stream_info.stream_name(other) for other in container.streams if other.index != stream.index
            ),
        )
        if input.is_exr:
            stored = picture.format.name
            del picture, pictures  # OpenCV will read it again, and two large ones may not fit into memory
            info = exr_file.describe(input, info, stored)
        _call(on_info, info)
        if input.is_exr or input.pipe is not None:
            return Look(info=info, side_data=replace(held, pieces=pieces.found))
        meter = FieldMeter(info) if measures_fields else None
        if photos.is_still(input, photo):
            pictures = iter(())
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
    """Examines pictures at the start and, in longer videos, at one and two thirds.

    Returns:
        Number of pictures at the start.
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
        if not demuxer.seek(container, origin + round(start / stream_info.time_base(stream)), stream):
            break  # without an index only the start is examined
        for picture in islice(decode_from_here(container, stream), WINDOW):
            meter.add(picture)
        meter.end_window()
    return count


def _further_windows(info: VideoInfo) -> list[Fraction]:
    """Positions in seconds from the start."""
    if info.duration is None or info.duration * info.frame_rate <= 6 * WINDOW:
        return []
    return [info.duration / 3, info.duration * 2 / 3]
