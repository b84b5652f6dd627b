"""The source of a video: a file, numbered pictures, or a pipe, with everything needed to open it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av

from vidrestore.errors import InputError, UsageError
from vidrestore.settings import MAX_PIXELS
from vidrestore.settings.keywords import HardwareDecoding
from vidrestore.video.formats.containers import STDOUT
from vidrestore.video.formats.image_sequence import find_pictures, is_pattern, parse_pattern
from vidrestore.video.formats.pixel_formats import describe_format
from vidrestore.video.formats.suffixes import PICTURES
from vidrestore.video.formats.time_range import TimeRange
from vidrestore.video.pipes import Pipe
from vidrestore.video.reading.clock import ClockMap
from vidrestore.video.reading.input_state import InputState, check_unchanged, input_state

_DEMUXERS = {"y4m": "yuv4mpegpipe", "nut": "nut", "rawvideo": "rawvideo"}
_USUAL_RATE = Fraction(25)
"""FFmpeg's default for pictures. It only matters for output as video, where --fps is required."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A source that can be opened any number of times, or once if it is a pipe that is being read."""

    path: Path
    """The path as the user wrote it, for messages."""
    format: str | None = None
    """FFmpeg's demuxer; None: chosen by content."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the demuxer."""
    pictures: range | None = None
    """The numbers of a sequence's pictures."""
    has_frame_rate: bool = True
    """False: the frame rate is not known, and the rate is only a convention."""
    pipe: Pipe | None = None
    max_pixels: int = MAX_PIXELS
    """Larger pictures are refused."""
    clock: ClockMap | None = None
    """Clock restarts of a broadcast."""
    head: bytes | None = field(default=None, repr=False)
    """The first bytes of a file, by which its format is recognised; None: not read yet, or not a file."""
    state: InputState | None = field(default=None, compare=False)
    """The state of its files when it was described; None: not known, or a pipe."""
    hwaccel: HardwareDecoding = "none"
    """Whether a GPU may decode."""

    @property
    def is_picture(self) -> bool:
        """Whether it is one picture or a sequence."""
        return self.pictures is not None or self.path.suffix.lower() in PICTURES

    @property
    def can_seek(self) -> bool:
        """Whether reading may start in the middle: it is not a pipe, and its timestamps are the file's."""
        return self.pipe is None and (self.clock is None or self.clock.is_steady)

    @property
    def is_exr(self) -> bool:
        return self.path.suffix.lower() == ".exr"

    def first_number(self, rate: Fraction, start: float | None) -> int:
        """Number of an output sequence's first picture: that of the input's picture at `start` [s]."""
        if self.pictures is None:
            return 1
        return self.pictures[0] + (TimeRange(start=start).first(1 / rate) or 0)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of a sequence; empty for other inputs."""
        if self.pictures is None:
            return ()
        pattern = parse_pattern(self.path)
        return tuple(pattern.path(number) for number in self.pictures)

    def check_unchanged(self) -> None:
        """Raises InputError if its files were replaced or rewritten since it was described."""
        check_unchanged(self.path, self.state, self.files)

    def interrupt(self) -> None:
        """Stops waiting for data from a pipe; called from another thread."""
        if self.pipe is not None:
            self.pipe.interrupt()


def describe_input(
    path: Path,
    *,
    fps: Fraction | None = None,
    input_format: str | None = None,
    pixel_format: str | None = None,
    size: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    hwaccel: HardwareDecoding = "none",
) -> Input:
    """The input at `path`, not opened yet.

    Args:
        path: `-` for standard input, shots/%05d.png for a sequence, anything else is a file.
        fps: Frames per second, for pictures and raw video.
        input_format: Name of the format; None: by content.
        pixel_format: Name of the pixel format of raw video.
        size: Width and height of raw video.
        max_pixels: Maximum number of pixels in a picture.
        hwaccel: Whether a GPU may decode, as the setting.

    Raises:
        InputError: The pictures of a sequence do not exist.
        UsageError: The arguments do not fit together.
    """
    input = _describe(path, fps, input_format, pixel_format, size, max_pixels, hwaccel)
    if input.pipe is not None:
        return input
    state = input_state(path, input.files)
    return replace(input, state=state, head=None if state is None else state.head)


def _describe(
    path: Path,
    fps: Fraction | None,
    input_format: str | None,
    pixel_format: str | None,
    size: tuple[int, int] | None,
    max_pixels: int,
    hwaccel: HardwareDecoding,
) -> Input:
    raw = input_format == "rawvideo"
    if (pixel_format or size) and not raw:
        raise UsageError("--pixel-format and --size describe raw video; add --input-format rawvideo")
    if size is not None and size[0] * size[1] > max_pixels:
        raise UsageError(too_large_message(path, size[0], size[1], max_pixels))
    options = _raw_options(path, fps, pixel_format, size) if raw else {}
    demuxer = None if input_format is None else _DEMUXERS[input_format]
    if str(path) == STDOUT:
        _refuse_rate(path, fps, raw)
        return Input(path=path, format=demuxer, options=options, max_pixels=max_pixels, pipe=Pipe.of_stdin())
    if is_pattern(path):
        return replace(_sequence(path, fps), max_pixels=max_pixels)
    picture = Input(path=path).is_picture
    _refuse_rate(path, fps, raw or picture)
    if picture and fps is not None:
        options = {"framerate": str(fps)}
    return Input(path=path, format=demuxer, options=options, max_pixels=max_pixels, hwaccel=hwaccel)


def as_input(video_input: Path | Input) -> Input:
    """The input of a path, which is a file."""
    return video_input if isinstance(video_input, Input) else Input(path=video_input)


def too_large_message(path: Path, width: int, height: int, limit: int) -> str:
    """The message for a picture that is too large.

    Args:
        path: The picture.
        width: Its width [px].
        height: Its height [px].
        limit: Maximum number of pixels.
    """
    return (
        f"{path} is {width} x {height} pixels, more than the limit of {limit}; if that is right and there is "
        f"memory for it, add --max-pixels {width * height}"
    )


def _sequence(path: Path, fps: Fraction | None) -> Input:
    pictures = find_pictures(parse_pattern(path))
    options = {"framerate": str(fps or _USUAL_RATE), "start_number": str(pictures[0])}
    return Input(
        path=path, format="image2", options=options, pictures=pictures, has_frame_rate=fps is not None
    )


def _refuse_rate(path: Path, fps: Fraction | None, allowed: bool) -> None:
    if fps is not None and not allowed:
        raise UsageError(
            f"--fps is for pictures and raw video; {path} states its own frame rate, so leave it out"
        )


def _raw_options(
    path: Path, fps: Fraction | None, pixel_format: str | None, size: tuple[int, int] | None
) -> dict[str, str]:
    if fps is None or pixel_format is None or size is None:
        raise UsageError(
            f"raw video does not describe itself; give --pixel-format, --size and --fps for {path}"
        )
    try:
        describe_format(pixel_format)
        av.VideoFormat(pixel_format)
    except InputError as error:
        raise UsageError(f"{error}; a common one is yuv420p") from error
    return {"framerate": str(fps), "pixel_format": pixel_format, "video_size": f"{size[0]}x{size[1]}"}
