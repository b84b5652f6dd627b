"""A stream of a caller's pictures, restored with the faces tracked over time."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidrestore.errors import UsageError
from vidrestore.in_memory.pictures import kind_of
from vidrestore.in_memory.result import Restored, restored
from vidrestore.in_memory.times import advancing
from vidrestore.settings import Settings
from vidrestore.types import Frame, FrameFaces, TrackedFace, VideoInfo

if TYPE_CHECKING:
    from vidrestore.detection import FaceDetector
    from vidrestore.restoration import NetworkRestorer


def restore_stream(
    pictures: Iterator[Any],
    rate: Fraction,
    restorer: NetworkRestorer,
    detector: FaceDetector,
    settings: Settings,
) -> Generator[Restored]:
    """The restored pictures, in order, some pictures later. Closing the generator ends the work.

    Args:
        pictures: The caller's pictures, all of one kind, shape and type.
        rate: Pictures per second.
        restorer: The networks.
        detector: Finds the faces.
        settings: All settings.

    Raises:
        UsageError: A picture is of another kind, shape or type, or earlier than the one before.
    """
    from vidrestore.detection import detect
    from vidrestore.identity import LazyRecogniser
    from vidrestore.pipeline import restore_tracked_faces
    from vidrestore.report import RunStats
    from vidrestore.tracking import select_faces, track

    waiting: dict[int, tuple[Any, Frame, tuple[TrackedFace, ...]]] = {}
    beginning = list(islice(pictures, 1))
    if not beginning:
        return
    (first,) = beginning
    kind = kind_of(first)
    shape, info = kind.shape(first), _stream_info(kind.to_frame(first, 0, rate), rate)

    def read() -> Iterator[Frame]:
        for index, picture in enumerate(chain(beginning, pictures)):
            if type(picture) is not type(first) or kind.shape(picture) != shape:
                found = kind_of(picture).shape(picture)
                raise UsageError(f"picture {index} is {found}, the first one {shape}")
            picture = kind.copy(picture)
            frame = kind.to_frame(picture, index, rate)
            waiting[index] = (picture, frame, ())
            yield frame

    def remember(items: Iterable[FrameFaces[TrackedFace]]) -> Iterator[FrameFaces[TrackedFace]]:
        for item in items:
            picture, frame, _ = waiting[item.frame.index]
            waiting[item.frame.index] = (picture, frame, item.faces)
            yield item

    detections = detect(advancing(read(), rate), detector, min_face=settings.min_face)
    tracked = track(detections, recogniser=LazyRecogniser(settings.device))
    chosen = remember(select_faces(tracked, settings.faces))
    stats = RunStats(total=None, strict=False, on_progress=None)
    with closing(restore_tracked_faces(chosen, restorer, info, settings, stats)) as frames:
        for frame, faces in frames:
            picture, before, tracks = waiting.pop(frame.index)
            frame = replace(frame, pts=before.pts, time_base=before.time_base)
            yield restored(kind.from_frame(frame, picture, before), before, frame, faces, tracks)


def _stream_info(frame: Frame, rate: Fraction) -> VideoInfo:
    return VideoInfo(
        path=Path("frames"),
        width=frame.width,
        height=frame.height,
        frame_rate=rate,
        time_base=frame.time_base,
        pixel_aspect=Fraction(1),
        frame_count=None,
        duration=None,
        orientation=frame.orientation,
        pixel_format=frame.format,
        colour=frame.colour,
        field_order="progressive",
        codec="rawvideo",
        bit_rate=None,
        other_streams=(),
    )
