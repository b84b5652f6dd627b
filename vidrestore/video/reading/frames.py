"""Decodes a file to frames, one at a time, in the video's own pixel format and with its timestamps."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from vidrestore.errors import ReadError
from vidrestore.types import ColourTags, Frame, VideoInfo
from vidrestore.video.exr import exr_file
from vidrestore.video.formats.gif_file import read_structure
from vidrestore.video.formats.image_sequence import parse_pattern, refuse_other_size
from vidrestore.video.photos import reading as photos
from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.fitting import PictureFitter
from vidrestore.video.reading.input import Input, as_input
from vidrestore.video.reading.pictures import DecodedPicture, decode
from vidrestore.video.reading.probe import colour_tags
from vidrestore.video.reading.user_data import UserData, UserDataReader

_UNSTATED = {2}
_CHECKED_EVERY = 100
"""Number of frames between checks that the file is still the same."""


def read_frames(
    video_input: Path | Input,
    info: VideoInfo,
    *,
    start: float | None = None,
    end: float | None = None,
    on_lost: Callable[[], None] | None = None,
    on_concealed: Callable[[], None] | None = None,
) -> Iterator[Frame]:
    """The frames of a video in presentation order, with the file's timestamps.

    A truncated file ends the iteration.

    Args:
        video_input: A path or an input.
        info: Its properties, from `probe`.
        start: First time to include [s from the first frame].
        end: First time to exclude [s from the first frame].
        on_lost: Called for a frame that cannot be decoded; the previous frame is repeated at its time.
        on_concealed: Called for a frame whose errors the decoder concealed.

    Raises:
        InputError: The file cannot be opened, or changes while it is read.
        ReadError: The system cannot read it.
    """
    input = as_input(video_input)
    if input.is_exr:
        yield from exr_file.read(input, info, start=start, end=end)
        input.check_unchanged()
        return
    photo = photos.first_photo(input)
    if photos.is_read_here(photo):
        yield from photos.read(input, info, start=start, end=end)
        input.check_unchanged()
        return

    def tick_range(stream: VideoStream) -> tuple[int | None, int | None]:
        time_range = stream_info.time_range_of(stream, input, start, end)
        time_base = stream_info.time_base(stream)
        return time_range.first(time_base), time_range.stop(time_base)

    frames = _read(input, info, tick_range, on_lost, on_concealed)
    with closing(frames):
        yield from islice(frames, 1) if photos.is_still(input, photo) else frames


def key_frame_near(video_input: Path | Input, info: VideoInfo, at: float) -> Frame | None:
    """The frame at the last key frame before a time; None: no frame can be decoded.

    This is fast for videos of any length, but for containers that cannot seek.

    Args:
        video_input: A path or an input.
        info: Its properties, from `probe`.
        at: The time [s from the first frame].

    Raises:
        InputError: The file cannot be opened.
        ReadError: The system cannot read it.
    """
    input = as_input(video_input)
    if input.can_seek and not input.is_exr and not photos.is_read_here(photos.first_photo(input)):
        with demuxer.open_container(input) as container:
            stream = stream_info.video_stream(container, input)
            tick = stream_info.time_range_of(stream, input, at, None).first(stream_info.time_base(stream))
            if demuxer.seek(container, tick or 0, stream):
                pictures = (each for each in decode(container, stream, input, info) if each is not None)
                decoded = next(pictures, None)
                return None if decoded is None else _frame(decoded, info, PictureFitter(info), 0, UserData())
    return next(iter(read_frames(input, info, start=at or None)), None)


def read_ticks(
    input: Input,
    info: VideoInfo,
    *,
    first: int | None,
    stop: int | None,
    on_lost: Callable[[], None] | None = None,
    on_concealed: Callable[[], None] | None = None,
) -> Iterator[Frame]:
    """As `read_frames`, from the timestamp `first` to just before `stop`; None: the start, the end.

    Args:
        input: The input.
        info: Its properties.
        first: First timestamp to include; None: the start.
        stop: First timestamp to exclude; None: the end.
        on_lost: As for `read_frames`.
        on_concealed: As for `read_frames`.
    """
    yield from _read(input, info, lambda _: (first, stop), on_lost, on_concealed)


def _read(
    input: Input,
    info: VideoInfo,
    tick_range: Callable[[VideoStream], tuple[int | None, int | None]],
    on_lost: Callable[[], None] | None,
    on_concealed: Callable[[], None] | None,
) -> Generator[Frame]:
    with ExitStack() as files:
        container = files.enter_context(demuxer.open_container(input, last=True))
        stream = stream_info.video_stream(container, input)
        first, stop = tick_range(stream)
        fitter, reader, index = PictureFitter(info), UserDataReader(info.codec), 0
        paths = photos.photos_of(input)
        for decoded in _decode_from(files, input, container, first, info):
            if decoded is None:
                _notify(on_lost)
                continue
            pts = decoded.pts
            if stop is not None and pts >= stop:
                break
            if first is None or pts >= first:
                if decoded.is_repeated:
                    _notify(on_lost)
                elif decoded.is_damaged or (0 <= pts < len(paths) and photos.is_cut_short(paths[pts])):
                    _notify(on_concealed)
                if input.pictures is not None:
                    picture, path = decoded.picture, parse_pattern(input.path).path(input.pictures[pts])
                    refuse_other_size(path, (picture.width, picture.height), (info.width, info.height))
                user_data = UserData() if decoded.is_repeated else reader.read(decoded.picture)
                yield _frame(decoded, info, fitter, index, user_data)
                index += 1
                if index % _CHECKED_EVERY == 0 and input.pictures is None:
                    input.check_unchanged()
        input.check_unchanged()
        if index and container.format.name == "gif" and _is_gif_cut_short(input):
            _notify(on_concealed)  # FFmpeg decodes what there is of the last picture without a message


def _is_gif_cut_short(input: Input) -> bool:
    try:
        return input.pipe is None and read_structure(input.path.read_bytes()).is_cut_short
    except OSError as error:
        raise ReadError.of(input.path, error) from error


def _notify(callback: Callable[[], None] | None) -> None:
    if callback is not None:
        callback()


def _decode_from(
    files: ExitStack, input: Input, container: InputContainer, first: int | None, info: VideoInfo
) -> Iterator[DecodedPicture | None]:
    """Pictures that start at `first` or earlier; None for each loss without a known time."""
    stream = stream_info.video_stream(container, input)
    if first is None or not input.can_seek:
        yield from decode(container, stream, input, info)
        return
    pictures: Iterator[DecodedPicture | None] = iter(())
    if demuxer.seek(container, first, stream):
        pictures = decode(container, stream, input, info)
    earliest = next(pictures, None)
    if earliest is not None and earliest.pts <= first:
        yield earliest
    else:
        # Without an index, seeking fails or may end too late: read from the start instead.
        container = files.enter_context(demuxer.open_container(input))
        pictures = decode(container, stream_info.video_stream(container, input), input, info)
    yield from pictures


def _frame(
    decoded: DecodedPicture, info: VideoInfo, fitter: PictureFitter, index: int, user_data: UserData
) -> Frame:
    picture = decoded.picture
    fitted, colour = fitter.fit(picture, decoded.aspect), colour_tags(picture, info.colour.siting)
    return Frame(
        index=index,
        pts=decoded.pts,
        duration=picture.duration or 0,
        time_base=info.time_base,
        planes=fitted.planes,
        format=info.pixel_format,
        colour=colour,
        orientation=info.orientation,
        captions=user_data.captions,
        active_format=None if fitted.is_fitted else user_data.active_format,
        is_fitted=fitted.is_fitted,
        is_converted=fitted.is_converted,
        has_other_colour=_has_other_colour(colour, info.colour),
    )


def _has_other_colour(colour: ColourTags, first: ColourTags) -> bool:
    """Whether two pictures state different colours; what one of them does not state is no difference."""
    codes = ((getattr(colour, name), getattr(first, name)) for name in ("matrix", "primaries", "transfer"))
    return colour.full_range != first.full_range or any(
        one != other and not {one, other} & _UNSTATED for one, other in codes
    )
