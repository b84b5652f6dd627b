"""Restores a video in one go: opens it, runs the stages in order, writes the output, and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.errors import InputError, UsageError
from vidrestore.mask_pass import MaskPass
from vidrestore.pipeline.extent import check_upscale, expected_frames, output_info, output_size
from vidrestore.pipeline.network_loader import NetworkLoader
from vidrestore.pipeline.queue_limits import DECODED_AHEAD_BYTES, ITEMS_AHEAD, RESTORED_AHEAD_BYTES
from vidrestore.pipeline.tracked_faces import restore_tracked
from vidrestore.pipeline.treatments import chosen_faces
from vidrestore.report import RunStats, report_opening
from vidrestore.run_warnings import check_tracks_found, no_frames_decoded_message, run_warnings
from vidrestore.settings import Settings
from vidrestore.types import Frame, ProgressCallback, Report, VideoInfo

if TYPE_CHECKING:
    from vidrestore.detection import FaceDetector
    from vidrestore.restoration import NetworkRestorer
    from vidrestore.video import FieldProcessing, Input, OpenedVideo
    from vidrestore.video.writing.make_writer import Writer


def restore_video(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
) -> Report:
    """Restores the faces of a video into a new file. Memory does not grow with the length of the video.

    Args:
        source: The input.
        target: The output.
        settings: All settings.
        on_progress: Called after each written frame.

    Returns:
        The report.

    Raises:
        VidrestoreError: One of its subclasses. Then no output is left behind.
    """
    from vidrestore import video

    muxer = video.check_paths(source, target, settings.overwrite, settings.container)
    report_opening(on_progress)
    with NetworkLoader(settings) as networks:
        opened = open_input_video(source, settings, on_info=lambda _: networks.start())
        return restore_opened(opened, target, settings, on_progress, muxer=muxer, networks=networks)


def open_input_video(
    source: Path, settings: Settings, *, on_info: Callable[[VideoInfo], None] | None = None
) -> OpenedVideo:
    """The video at `source`, examined in one opening.

    Args:
        source: The input.
        settings: All settings.
        on_info: Called as soon as the properties are known, before fields are measured.

    Raises:
        InputError: It is not a video that can be read.
        UsageError: A setting does not fit the input, or is for aligned faces.
    """
    from vidrestore import video

    if settings.aligned:
        raise UsageError(
            "a plan, a preview and an inspection are not possible with aligned faces; leave out aligned"
        )
    opened = video.open_video(
        source, deinterlace=settings.deinterlace, on_info=on_info, **settings.input_options()
    )
    check_upscale(opened, settings)
    return opened


def make_output_writer(opened: OpenedVideo, target: Path, settings: Settings, muxer: str) -> Writer:
    """The writer of the output; it writes nothing before its `with` block is entered.

    Args:
        opened: The input.
        target: The output.
        settings: All settings.
        muxer: The muxer of `target`, from `video.check_paths`.

    Raises:
        OutputError: The output cannot be written.
        UsageError: An option does not fit the output.
    """
    from vidrestore import video

    width, height = output_size(opened.info, settings)
    return video.make_writer(
        target,
        output_info(opened, settings),
        source=opened.input,
        side_data=opened.side_data,
        muxer=muxer,
        width=width,
        height=height,
        overwrite=settings.overwrite,
        **settings.time_range(opened.info.frame_rate),
        **settings.encoding_options(),
    )


def restore_opened(
    opened: OpenedVideo,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None,
    *,
    muxer: str,
    networks: NetworkLoader,
) -> Report:
    """Restores a video that is already opened and checked, as `restore_video`.

    Args:
        opened: The video.
        target: The output.
        settings: All settings.
        on_progress: Called after each written frame.
        muxer: The muxer of `target`, from `video.check_paths`.
        networks: The networks of these settings.

    Returns:
        The report.

    Raises:
        VidrestoreError: One of its subclasses. Then no output is left behind.
    """
    from vidrestore.runtime.pipeline_threads import Prefetch

    info, field_processing = opened.info, opened.field_processing
    stats = RunStats(total=expected_frames(info, settings), strict=settings.strict, on_progress=on_progress)
    masks = MaskPass(opened, target, settings) if settings.mask is not None else None
    with (
        masks or nullcontext(),
        make_output_writer(opened, target, settings, muxer) as writer,
    ):
        networks.start()
        stats.report_stage("loading")
        with Prefetch(
            decode_to_frames(
                opened.input,
                info,
                field_processing,
                settings,
                stats,
                networks.wait,
                on_mask=None if masks is None else masks.add,
            ),
            items=ITEMS_AHEAD,
            max_bytes=RESTORED_AHEAD_BYTES,
            size_of=attrgetter("nbytes"),
            interrupt=opened.input.interrupt,
        ) as restored:
            for frame in field_processing.merge_fields(restored):
                stats.timer.enter("encoding")
                writer.write(frame)
                if masks is not None:
                    masks.write_next()
                stats.timer.leave()
                stats.add_written_frame(frame)
        stats.report_stage("finishing")
        if stats.frames == 0:
            raise InputError(no_frames_decoded_message(info.path, settings))
        check_tracks_found(info, settings, stats)
        if settings.start is None and settings.end is None:
            stats.check_missing_frames(info, writer.other_streams_end)
    return stats.report(target, (*run_warnings(info, field_processing, settings, stats), *writer.warnings))


def decode_to_frames(
    source: Input,
    info: VideoInfo,
    field_processing: FieldProcessing,
    settings: Settings,
    stats: RunStats,
    loaded: Callable[[], tuple[NetworkRestorer, FaceDetector]],
    *,
    on_mask: Callable[[Frame], None] | None = None,
) -> Iterator[Frame]:
    """The whole pipeline as a generator of restored frames.

    Args:
        source: The input.
        info: Its properties.
        field_processing: How interlaced video is processed.
        settings: All settings.
        stats: Receives counts and times.
        loaded: Waits for the networks.
        on_mask: Called with the mask of each frame, before the frame is yielded.

    Yields:
        The frames; two for each interlaced frame if fields are restored.
    """
    from vidrestore.detection import detect
    from vidrestore.identity import LazyRecogniser
    from vidrestore.runtime.pipeline_threads import Prefetch
    from vidrestore.tracking import track
    from vidrestore.video import read_frames

    timer = stats.timer
    timer.enter("loading")
    restorer, detector = loaded()
    timer.leave()
    decoded = read_frames(
        source,
        info,
        **settings.time_range(info.frame_rate),
        on_lost=stats.add_lost_frame,
        on_concealed=stats.add_concealed_frame,
    )
    with Prefetch(
        timer.timed("decoding", field_processing.split_fields(decoded)),
        items=ITEMS_AHEAD,
        max_bytes=DECODED_AHEAD_BYTES,
        size_of=attrgetter("nbytes"),
        interrupt=source.interrupt,
    ) as frames:
        detected = detect(timer.untimed(frames), detector, min_face=settings.min_face)
        recogniser = LazyRecogniser(settings.device)
        tracked = track(timer.timed("detection", detected), recogniser=recogniser)
        chosen = stats.count_faces(chosen_faces(tracked, settings))
        yield from restore_tracked(
            chosen, restorer, info, settings, stats, interrupt=source.interrupt, on_mask=on_mask
        )
