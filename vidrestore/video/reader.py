"""A file in, its frames out, one at a time, in the video's own pixels and with their own timestamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vidrestore.types import Frame, VideoInfo
from vidrestore.video import formats, source
from vidrestore.video.probe import colour_tags


def read_frames(
    path: Path,
    info: VideoInfo,
    *,
    start: float | None = None,
    end: float | None = None,
    on_lost: Callable[[], None] | None = None,
) -> Iterator[Frame]:
    """The frames between `start` and `end` [seconds from the first frame], in presentation order.

    Timestamps are the file's own. A packet that cannot be read or decoded calls `on_lost` and is passed
    over; a file that breaks off ends the iteration. Raises InputError where the file cannot be opened.
    """
    with ExitStack() as files:
        container = files.enter_context(source.open_source(path))
        stream = source.video_stream(container, path)
        cut = source.cut_of(stream, start, end)
        time_base = source.time_base(stream)
        stop = cut.stop(time_base)
        clock = _Clock(step=max(1, round(1 / (info.frame_rate * time_base))))
        index = 0
        for picture in _pictures_from(files, path, container, cut.first(time_base), on_lost or _ignore):
            pts = clock.read(picture)
            if stop is not None and pts >= stop:
                return
            if cut.holds(pts, time_base):
                yield _frame(picture, info, index, pts)
                index += 1


class _Clock:
    """Gives each picture a timestamp later than the one before, the file's own wherever that is one."""

    def __init__(self, step: int) -> None:
        self._step = step
        self._last: int | None = None

    def read(self, picture: av.VideoFrame) -> int:
        pts = picture.pts if picture.pts is not None else picture.dts
        if self._last is None:
            pts = 0 if pts is None else pts
        elif pts is None:
            pts = self._last + self._step
        elif pts <= self._last:
            # Damaged files repeat timestamps, which no encoder takes.
            pts = self._last + 1
        if picture.duration:
            self._step = picture.duration
        self._last = pts
        return pts


def _ignore() -> None:
    return None


def _pictures_from(
    files: ExitStack, path: Path, container: InputContainer, first: int | None, on_lost: Callable[[], None]
) -> Iterator[av.VideoFrame]:
    """Pictures from at the latest `first` on."""
    stream = source.video_stream(container, path)
    if first is not None:
        container.seek(first, stream=stream, backward=True)
    pictures = _pictures(container, stream, on_lost)
    if first is not None:
        earliest = next(pictures, None)
        if earliest is not None and earliest.pts is not None and earliest.pts <= first:
            yield earliest
        else:
            # Without an index a seek may land too late: read from the beginning instead.
            container = files.enter_context(source.open_source(path))
            pictures = _pictures(container, source.video_stream(container, path), on_lost)
    yield from pictures


def _pictures(
    container: InputContainer, stream: VideoStream, on_lost: Callable[[], None]
) -> Iterator[av.VideoFrame]:
    stream.thread_type = "AUTO"
    for packet in source.packets(container, stream):
        try:
            pictures = None if packet is None else stream.decode(packet)
        except av.FFmpegError:
            pictures = None
        if pictures is None:
            on_lost()
        else:
            yield from pictures
    try:
        yield from stream.decode(None)
    except av.error.EOFError:
        return
    except av.FFmpegError:
        on_lost()


def _frame(picture: av.VideoFrame, info: VideoInfo, index: int, pts: int) -> Frame:
    format_ = formats.describe_format(picture.format.name)
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
        planes=formats.unpack(picture),
        format=format_,
        colour=colour_tags(picture, info.colour.siting),
        orientation=info.orientation,
    )
