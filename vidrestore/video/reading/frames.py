"""A file in, its frames out, one at a time, in the video's own pixels and with their own timestamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidrestore.types import Frame, VideoInfo
from vidrestore.video.exr import exr_file
from vidrestore.video.formats import pixel_formats
from vidrestore.video.formats.image_sequence import parse_pattern, refuse_other_size
from vidrestore.video.photos import reading as photos
from vidrestore.video.reading import demuxer
from vidrestore.video.reading.input import Input, as_input
from vidrestore.video.reading.lost_frames import LostFrameDetector
from vidrestore.video.reading.probe import colour_tags


def read_frames(
    video_input: Path | Input,
    info: VideoInfo,
    *,
    start: float | None = None,
    end: float | None = None,
    on_lost: Callable[[], None] | None = None,
    on_concealed: Callable[[], None] | None = None,
) -> Iterator[Frame]:
    """The frames between `start` and `end` [seconds from the first frame], in presentation order.

    Timestamps are the file's own. A frame that cannot be decoded calls `on_lost`; at its time the one before
    it is shown again. One that the decoder had to patch calls `on_concealed`. A file that breaks off ends the
    iteration. Raises InputError where the file cannot be opened.
    """
    input = as_input(video_input)
    if input.is_exr:
        yield from exr_file.read(input, info, start=start, end=end)
        return
    if photos.is_read_here(photos.first_photo(input)):
        yield from photos.read(input, info, start=start, end=end)
        return

    def tick_range(stream: VideoStream) -> tuple[int | None, int | None]:
        time_range, time_base = demuxer.time_range_of(stream, start, end), demuxer.time_base(stream)
        return time_range.first(time_base), time_range.stop(time_base)

    yield from _read(input, info, tick_range, on_lost, on_concealed)


def read_ticks(
    input: Input,
    info: VideoInfo,
    *,
    first: int | None,
    stop: int | None,
    on_lost: Callable[[], None] | None = None,
    on_concealed: Callable[[], None] | None = None,
) -> Iterator[Frame]:
    """As `read_frames`, from the timestamp `first` up to but without `stop`; None: the beginning, the end."""
    yield from _read(input, info, lambda _: (first, stop), on_lost, on_concealed)


def _read(
    input: Input,
    info: VideoInfo,
    tick_range: Callable[[VideoStream], tuple[int | None, int | None]],
    on_lost: Callable[[], None] | None,
    on_concealed: Callable[[], None] | None,
) -> Iterator[Frame]:
    with ExitStack() as files:
        container = files.enter_context(demuxer.open_container(input, last=True))
        stream = demuxer.video_stream(container, input)
        first, stop = tick_range(stream)
        timestamps = _TimestampRepair(step=max(1, round(1 / (info.frame_rate * demuxer.time_base(stream)))))
        index = 0
        for decoded in _decode_from(files, input, container, first, info):
            if decoded is None:
                _notify(on_lost)
                continue
            pts = timestamps.read(decoded)
            if stop is not None and pts >= stop:
                return
            if first is None or pts >= first:
                if decoded.pts_of_lost is not None:
                    _notify(on_lost)
                elif decoded.picture.is_corrupt:
                    _notify(on_concealed)
                if input.pictures is not None:
                    picture, path = decoded.picture, parse_pattern(input.path).path(input.pictures[pts])
                    refuse_other_size(path, (picture.width, picture.height), (info.width, info.height))
                yield _frame(decoded.picture, info, index, pts)
                index += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _DecodedPicture:
    """A picture at a time: its own, or that of a lost one."""

    picture: av.VideoFrame
    pts_of_lost: int | None = None

    @property
    def pts(self) -> int | None:
        if self.pts_of_lost is not None:
            return self.pts_of_lost
        return self.picture.pts if self.picture.pts is not None else self.picture.dts


class _TimestampRepair:
    """Gives each picture a timestamp later than the one before, the file's own wherever that is one."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._last: int | None = None

    def read(self, decoded: _DecodedPicture) -> int:
        pts = decoded.pts
        if self._last is None:
            pts = 0 if pts is None else pts
        elif pts is None:
            pts = self._last + self._step
        elif pts <= self._last:
            # Damaged files repeat timestamps, which no encoder takes.
            pts = self._last + 1
        if decoded.picture.duration:
            self._step = decoded.picture.duration
        self._last = pts
        return pts


def _notify(callback: Callable[[], None] | None) -> None:
    if callback is not None:
        callback()


def _decode_from(
    files: ExitStack, input: Input, container: InputContainer, first: int | None, info: VideoInfo
) -> Iterator[_DecodedPicture | None]:
    """Pictures from at the latest `first` on; None for each loss that no time is known of."""
    stream = demuxer.video_stream(container, input)
    if first is None or input.pipe is not None:
        yield from _decode(container, stream, input, info)
        return
    demuxer.seek(container, first, stream)
    pictures = _decode(container, stream, input, info)
    earliest = next(pictures, None)
    if earliest is not None and earliest.pts is not None and earliest.pts <= first:
        yield earliest
    else:
        # Without an index a seek may land too late: read from the beginning instead.
        container = files.enter_context(demuxer.open_container(input))
        pictures = _decode(container, demuxer.video_stream(container, input), input, info)
    yield from pictures


def _decode(
    container: InputContainer, stream: VideoStream, input: Input, info: VideoInfo
) -> Iterator[_DecodedPicture | None]:
    """Decoded pictures, with the one before in place of each that was lost."""
    step = max(1, round(1 / (info.frame_rate * demuxer.time_base(stream))))
    detector = LostFrameDetector(info.codec, interlaced=info.interlaced, step=step)
    last: av.VideoFrame | None = None
    for picture in _pictures(container, stream, input, detector):
        if picture.pts is not None:
            for pts in detector.lost_before(picture.pts):
                if last is not None:
                    yield _DecodedPicture(picture=last, pts_of_lost=pts)
        yield _DecodedPicture(picture=picture)
        last = picture
    for pts in detector.lost_before(None):
        if last is not None:
            yield _DecodedPicture(picture=last, pts_of_lost=pts)
    yield from [None] * detector.unmatched_errors()


def _pictures(
    container: InputContainer, stream: VideoStream, input: Input, detector: LostFrameDetector
) -> Iterator[av.VideoFrame]:
    decoder = demuxer.decoder_of(stream)
    decoder.thread_type = "AUTO"
    for packet in _packets(container, stream, input):
        try:
            if packet is None:
                detector.add_error()
                continue
            detector.add_packet(packet)
            pictures = decoder.decode(packet)
        except av.FFmpegError:
            detector.add_error()
        else:
            yield from pictures
    try:
        yield from decoder.decode(None)
    except av.error.EOFError:
        return
    except av.FFmpegError:
        detector.add_error()


def _packets(container: InputContainer, stream: VideoStream, input: Input) -> Iterator[Packet[Stream] | None]:
    """The video's packets; those beside it in a pipe, which nobody can fetch later, are put aside."""
    if input.pipe is None:
        yield from demuxer.packets(container, stream)
        return
    for packet in demuxer.packets(container, *container.streams):
        if packet is None or packet.stream_index == stream.index:
            yield packet
        elif packet.stream_index in input.pipe.other_streams:
            input.pipe.other_packets.append(packet)


def _frame(picture: av.VideoFrame, info: VideoInfo, index: int, pts: int) -> Frame:
    format_ = pixel_formats.describe_format(picture.format.name)
    if (picture.width, picture.height, format_) != (info.width, info.height, info.pixel_format):
        # A stream that changes its size or format half way is brought back to what it began with, as a
        # player's window would.
        picture = picture.reformat(info.width, info.height, format=info.pixel_format.name)
        format_ = info.pixel_format
    return Frame(
        index=index,
        pts=pts,
        duration=picture.duration or 0,
        time_base=info.time_base,
        planes=pixel_formats.unpack(picture),
        format=format_,
        colour=colour_tags(picture, info.colour.siting),
        orientation=info.orientation,
    )
