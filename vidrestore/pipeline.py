"""restore_video: open, connect the stages in order, run, report. The only place that knows the order.

path ─video─▶ Frame ─detection─▶ Detection ─tracking─▶ TrackedFace ─alignment─▶ AlignedFace
     ─restoration─▶ RestoredFace ─compositing─▶ Frame ─video─▶ file

Four threads work at once, each ahead of the next within a bound of bytes: one decodes, one finds, follows and
aligns faces, one restores and composites them, and the caller's encodes. Each stage's work is done by one
thread, in order, so what comes out does not depend on which is faster.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, nullcontext
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Self

from vidrestore.errors import InputError
from vidrestore.mask_pass import MaskPass
from vidrestore.report import RunStats, report_opening
from vidrestore.run_warnings import check_tracks_found, no_frames_decoded_message, run_warnings
from vidrestore.settings import Settings
from vidrestore.types import (
    AlignedFace,
    Frame,
    FrameFaces,
    ProgressCallback,
    Report,
    RestoredFace,
    TrackedFace,
    VideoInfo,
)

if TYPE_CHECKING:
    from vidrestore.detection import FaceDetector
    from vidrestore.restoration import NetworkRestorer
    from vidrestore.sidecar import Sidecar
    from vidrestore.video import FieldProcessing, Input, OpenedVideo
    from vidrestore.video.writing.make_writer import Writer

logger = logging.getLogger(__name__)

DECODED_AHEAD_BYTES, ANALYSED_AHEAD_BYTES, RESTORED_AHEAD_BYTES = 64 * 2**20, 64 * 2**20, 32 * 2**20
"""Of frames that wait for the analysis, for the network and for the encoder."""
ITEMS_AHEAD = 16
"""As many frames at most wait in each of these places, small as they may be: a batch for each of four
workers, and they come sooner than a batch is computed."""
GPU_ITEMS_AHEAD = 64
"""As many, of faces for a GPU, which takes more at a time."""


def restore_video(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
) -> Report:
    """Restore the faces of the video at `source` into a new file at `target`.

    Memory does not grow with the length of the video. `on_progress` is called after each written frame.
    Raises a VidrestoreError for what the user can cause or fix; then no output is left behind.
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
    """The video at `source`, looked at once; `on_info` is called before its fields are measured."""
    from vidrestore import video

    return video.open_video(
        source, deinterlace=settings.deinterlace, on_info=on_info, **settings.input_options()
    )


def make_output_writer(opened: OpenedVideo, target: Path, settings: Settings, muxer: str) -> Writer:
    """The writer of a run's result, by the settings; it writes nothing until it is entered.

    Raises:
        OutputError: The output cannot be written.
        UsageError: An option does not fit the output.
    """
    from vidrestore import video

    width, height = output_size(opened.info, settings)
    return video.make_writer(
        target,
        opened.output_info,
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
    """As `restore_video`, of a video that is opened, into a file that may be written.

    Args:
        opened: The video.
        target: Where the result goes.
        settings: How it is restored.
        on_progress: Called after each written frame.
        muxer: Of `target`, as `video.check_paths` says.
        networks: Those of the settings.
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


class NetworkLoader:
    """Loads the networks in a thread, beside other work: they take a while, and torch a second or two.

    Use it in a `with` block: leaving the block waits for the thread.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._result: Callable[[], tuple[NetworkRestorer, FaceDetector]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start(self) -> None:
        """Loads them in the background, from the first call on."""
        from vidrestore.runtime.worker_threads import start_in_background

        if self._result is None:
            loading = start_in_background(lambda: _networks(self._settings))
            self._result = self._stack.enter_context(loading)

    def wait(self) -> tuple[NetworkRestorer, FaceDetector]:
        """The networks. Raises what loading them raised."""
        self.start()
        assert self._result is not None
        return self._result()


def _networks(settings: Settings) -> tuple[NetworkRestorer, FaceDetector]:
    from vidrestore.detection import make_detector
    from vidrestore.restoration import make_restorer
    from vidrestore.weights import model_path

    weights = model_path(settings.model)
    restorer = make_restorer(weights, device=settings.device, fidelity=settings.network_fidelity)
    return restorer, make_detector(settings.detector, settings.device, min_face=settings.min_face)


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
    """The pipeline itself, lazily; of interlaced video each field by itself.

    `on_mask` gets the mask of each frame, before the frame.
    """
    from vidrestore.detection import detect
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
        tracked = stats.count_faces(chosen_faces(track(timer.timed("detection", detected)), settings))
        yield from restore_tracked(
            tracked, restorer, info, settings, stats, interrupt=source.interrupt, on_mask=on_mask
        )


def restore_tracked(
    tracked: Iterable[FrameFaces[TrackedFace]],
    restorer: NetworkRestorer,
    info: VideoInfo,
    settings: Settings,
    stats: RunStats,
    *,
    interrupt: Callable[[], None] | None = None,
    on_mask: Callable[[Frame], None] | None = None,
) -> Generator[Frame]:
    """The frames of `restore_tracked_faces`, with what was drawn of their faces counted."""
    with closing(
        restore_tracked_faces(tracked, restorer, info, settings, stats, interrupt=interrupt, on_mask=on_mask)
    ) as composited:
        for frame, faces in composited:
            stats.drawn.add(frame, faces)
            yield frame


def restore_tracked_faces(
    tracked: Iterable[FrameFaces[TrackedFace]],
    restorer: NetworkRestorer,
    info: VideoInfo,
    settings: Settings,
    stats: RunStats,
    *,
    interrupt: Callable[[], None] | None = None,
    on_mask: Callable[[Frame], None] | None = None,
    wanted: int | None = None,
) -> Generator[tuple[Frame, tuple[RestoredFace, ...]]]:
    """The pipeline from tracked faces on: each frame with its faces composited, and the restored faces.

    What leads to `tracked` runs in a thread, ahead of the network, which ends when this is closed;
    `interrupt` ends a wait in there. `wanted` is the index of the only frame to restore, if not all are.
    `on_mask` gets the mask of each frame, before the frame.
    """
    from vidrestore.faces.alignment import align
    from vidrestore.restoration import (
        OomRetryRestorer,
        PaddedBatchRestorer,
        TemporalBlend,
        choose_batch_sizes,
        cpu_workers_for,
        deflicker,
        network_workers_for,
        restore,
    )
    from vidrestore.runtime.device import free_gpu_memory
    from vidrestore.runtime.malloc import heap_trimmer
    from vidrestore.runtime.pipeline_threads import Prefetch, map_ahead

    timer = stats.timer
    on_processor = restorer.device.type == "cpu"
    oom_safe = OomRetryRestorer(restorer)
    trimmer = heap_trimmer()
    trimmer.begin()
    with network_workers_for(restorer) as network_workers, cpu_workers_for(restorer) as cpu_workers:
        batches = choose_batch_sizes(
            info,
            device=restorer.device.type,
            size=restorer.size,
            workers=network_workers.count if network_workers else 1,
            faces=settings.batch,
            free_bytes=free_gpu_memory(restorer.device),
            bytes_per_number=restorer.precision.itemsize,
        )
        timed_faces = timer.timed("tracking", tracked)
        aligned: Iterator[FrameFaces[AlignedFace]] = map_ahead(
            timed_faces,
            lambda item: _treated(align(item, restorer.size, own_size=restorer.estimates), settings),
            cpu_workers,
        )
        with Prefetch(
            timer.timed("alignment", deflicker(aligned) if settings.deflicker else aligned),
            items=ITEMS_AHEAD if on_processor else GPU_ITEMS_AHEAD,
            max_bytes=ANALYSED_AHEAD_BYTES,
            size_of=_item_bytes,
            interrupt=interrupt,
        ) as ahead:
            restored = restore(
                timer.untimed(ahead),
                oom_safe if info.frame_count == 1 else PaddedBatchRestorer(oom_safe, batches.faces),
                TemporalBlend(strength=settings.temporal),
                batch=batches.faces,
                max_frames=batches.frames,
                network_workers=network_workers,
                cpu_workers=cpu_workers,
                wanted=wanted,
            )
            composited = map_ahead(
                timer.timed("restoration", restored),
                lambda item: _composite_frame(item, settings, with_mask=on_mask is not None),
                cpu_workers,
            )
            for frame, faces, mask in timer.timed("compositing", composited):
                trimmer.step()
                if on_mask is not None and mask is not None:
                    on_mask(mask)
                stats.faces += 0 if frame.second_field else len(faces)
                yield frame, faces


def chosen_faces(
    items: Iterable[FrameFaces[TrackedFace]], settings: Settings
) -> Iterator[FrameFaces[TrackedFace]]:
    """The frames with the faces to restore: those that are chosen and that the sidecar does not exclude."""
    from vidrestore.tracking import select_faces

    chosen = select_faces(items, settings.faces)
    return chosen if settings.sidecar is None else _without_excluded(chosen, settings.sidecar, settings)


def _without_excluded(
    items: Iterable[FrameFaces[TrackedFace]], sidecar: Sidecar, settings: Settings
) -> Iterator[FrameFaces[TrackedFace]]:
    for item in items:
        faces = tuple(
            face
            for face in item.faces
            if sidecar.treatment(item.scene, face.track_id, settings.treatment) is not None
        )
        yield replace(item, faces=faces)


def _treated(item: FrameFaces[AlignedFace], settings: Settings) -> FrameFaces[AlignedFace]:
    """The faces with what the sidecar says of each."""
    if settings.sidecar is None:
        return item
    treatment = settings.sidecar.treatment
    faces = tuple(
        replace(face, treatment=treatment(item.scene, face.track_id, settings.treatment))
        for face in item.faces
    )
    return replace(item, faces=faces)


def _composite_frame(
    item: FrameFaces[RestoredFace], settings: Settings, *, with_mask: bool
) -> tuple[Frame, tuple[RestoredFace, ...], Frame | None]:
    """The frame as it is to be written, its restored faces, and the mask of what was changed."""
    from vidrestore.faces.change_mask import change_mask
    from vidrestore.faces.compositing import composite, side_by_side

    frame = composite(item, strength=settings.strength, grain=settings.grain)
    mask = change_mask(item, frame, strength=settings.strength) if with_mask else None
    if settings.compare == "side-by-side":
        frame = side_by_side(item.frame, frame)
    return frame, item.faces, mask


def output_size(info: VideoInfo, settings: Settings) -> tuple[int, int]:
    """Coded width and height; with the comparison twice as wide as it is shown."""
    from vidrestore.faces.orientation import display_axis

    if settings.compare != "side-by-side":
        return info.width, info.height
    axis, _ = display_axis(info.orientation)
    return (info.width * 2, info.height) if axis else (info.width, info.height * 2)


def _item_bytes(item: FrameFaces[AlignedFace]) -> int:
    return item.frame.nbytes + sum(face.image.nbytes for face in item.faces)


def expected_frames(info: VideoInfo, settings: Settings) -> int | None:
    """In the part that is asked for, as far as the container tells."""
    if settings.start is None and settings.end is None:
        return info.frame_count
    if info.duration is None and settings.end is None:
        return None
    wanted = settings.time_range(info.frame_rate)
    ends = [end for end in (info.duration, wanted["end"]) if end is not None]
    return max(round((float(min(ends)) - (wanted["start"] or 0.0)) * float(info.frame_rate)), 0)
